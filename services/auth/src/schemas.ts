import Joi from 'joi'
import { roles } from '@caregate/common/auth'
import { textField, uuidField, type Schema } from '@caregate/common/validate'
import type { User } from './repository.ts'

/** E-mails are compared in lower case. */
export const emailField = (): Joi.StringSchema =>
  Joi.string()
    .email({ tlds: { allow: false } })
    .max(254)
    .custom((value: string) => value.toLowerCase())
export const fullNameField = (): Joi.StringSchema => textField(200)
/** Taken as it is: neither trimmed nor cleaned. The rules for new passwords are in `passwords.ts`. */
export const passwordField = (): Joi.StringSchema => Joi.string().max(1000)

export const userAnswer: Schema<User> = Joi.object({
  id: uuidField().required(),
  email: Joi.string()
    .email({ tlds: { allow: false } })
    .required(),
  fullName: Joi.string().required(),
  roles: Joi.array()
    .items(Joi.string().valid(...roles))
    .required(),
  patientId: uuidField().allow(null).required(),
  disabled: Joi.boolean().required(),
  totpEnabled: Joi.boolean().required(),
  createdAt: Joi.string().isoDate().required(),
})
