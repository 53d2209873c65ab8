/** A new one begins here; docs/add-a-service.md goes on. Ports are those they listen on unless they are told another. */
const services = {
  auth: { port: 8001, about: 'Signing in, sessions, accounts' },
  patients: { port: 8002, about: 'Charts and who may open them' },
  audit: { port: 8003, about: 'Who did what: the log, its proofs, reports and reviews' },
}
export type Service = keyof typeof services
export const SERVICES = Object.keys(services) as Service[]

export const factsOf = (service: Service): { port: number; about: string } => services[service]

export const isService = (name: string | undefined): name is Service => SERVICES.includes(name as Service)

/** Something for each of them, by its name. */
export function byService<T>(make: (service: Service) => T): Record<Service, T> {
  return Object.fromEntries(SERVICES.map((service) => [service, make(service)])) as Record<Service, T>
}
