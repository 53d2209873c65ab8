import type { Vocabulary } from '@caregate/common/openapi'
import { memberAnswer } from './care-team/routes.ts'
import { itemAnswer, itemBody, itemFields } from './clinical/item.ts'
import { entryAnswer } from './history/routes.ts'
import { address, contact, humanName, identifier, otherName, telecom } from './patient.ts'
import { foundAnswer, patientAnswer, patientBody } from './schemas.ts'

/** What clients meet again and again. */
export const vocabulary: Vocabulary = {
  Patient: patientAnswer,
  NewPatient: patientBody,
  FoundPatient: foundAnswer,
  HumanName: humanName,
  OtherName: otherName,
  Identifier: identifier,
  Telecom: telecom,
  Address: address,
  Contact: contact,
  ClinicalItem: itemAnswer,
  NewClinicalItem: itemBody,
  Code: itemFields.code,
  CareTeamMember: memberAnswer,
  HistoryEntry: entryAnswer,
}
