const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const count = new Intl.NumberFormat('en-GB')

/** In the reader's own time zone. */
export const formatTime = (moment: string | number): string => time.format(new Date(moment))
export const formatDay = (moment: string | number): string => day.format(new Date(moment))
export const formatMoment = (moment: string | number): string => whole.format(new Date(moment))
export const formatCount = (number: number): string => count.format(number)
export const formatSeconds = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
/** `many` where it isn't one. */
export const plural = (number: number, one: string, many = `${one}s`): string =>
  `${formatCount(number)} ${number === 1 ? one : many}`

/** An id's last part: the first of a UUIDv7 is the same for all of a day. */
export const shortId = (id: string): string => (id.length > 20 ? `…${id.slice(-8)}` : id)
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

export const actionNames = { C: 'Create', R: 'Read', U: 'Update', D: 'Delete', E: 'Execute' } as const
export const basisNames = {
  role: 'By role',
  'care-team': 'Care team',
  'break-glass': 'Break-glass',
  self: 'Own chart',
} as const
export const actorName = ({ id, name }: { id: string | null; name: string | null }): string =>
  name ?? (id ? shortId(id) : 'Not signed in')
