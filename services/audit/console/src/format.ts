const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
const time = new Intl.DateTimeFormat('en-GB', clock)
const zonedTime = new Intl.DateTimeFormat('en-GB', { ...clock, timeZoneName: 'short' })
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const count = new Intl.NumberFormat('en-GB')

/** A day of the reader's own time zone, `later` days after that of `moment`. It may be one of 23 or 25 hours. */
export function startOfDay(moment: string | number, later = 0): Date {
  const start = new Date(moment)
  start.setHours(0, 0, 0, 0)
  start.setDate(start.getDate() + later)
  return start
}
const offsetAt = (moment: Date): number => moment.getTimezoneOffset()

/** In the reader's own time zone, which is named on a day that has an hour twice. */
export function formatTime(moment: string | number): string {
  const changes = offsetAt(startOfDay(moment)) !== offsetAt(startOfDay(moment, 1))
  return (changes ? zonedTime : time).format(new Date(moment))
}
export const formatDay = (moment: string | number): string => day.format(new Date(moment))
export const formatMoment = (moment: string | number): string =>
  `${date.format(new Date(moment))}, ${formatTime(moment)}`
/** The day is said once where both are of the same. */
export const formatSpan = (from: string, to: string): string =>
  `${formatDay(from)} ${formatTime(from)} – ${formatDay(from) === formatDay(to) ? '' : `${formatDay(to)} `}${formatTime(to)}`
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
