import Joi from 'joi'
import { roles } from '@caregate/common/auth'
import { textField, uuidField, type Schema } from '@caregate/common/validate'
import type { User } from './repository/users.ts'

/** Those that an admin gives; a patient's account comes from registering alone. */
const staffRoles = roles.filter((role) => role !== 'patient')

/** E-mails are compared in lower case. */
export const emailField = (): Joi.StringSchema =>
  Joi.string()
    .email({ tlds: { allow: false } })
    .max(254)
    .custom((value: string) => value.toLowerCase())
export const fullNameField = (): Joi.StringSchema => textField(200)
/** Taken as it is: neither trimmed nor cleaned. The rules for new passwords are in `passwords.ts`. */
export const passwordField = (): Joi.StringSchema => Joi.string().max(1000)

/** A code of a second factor, or a recovery code. */
export const codeField = (): Joi.StringSchema => Joi.string().max(40)
export const rolesField = (): Joi.ArraySchema =>
  Joi.array()
    .items(Joi.string().valid(...staffRoles))
    .min(1)
    .unique()

/** Of every answer with an access token. */
export const tokenFields = {
  accessToken: Joi.string().required(),
  tokenType: Joi.string().valid('Bearer').required(),
  expiresIn: Joi.number().integer().required().description('Seconds'),
}

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
