/** How much of a proof: for all that is claimed, and for a look at it. `SEED` is what the run has been given. */
interface Proof {
  claim: string
  full: string
  /** Left out where a little of it would take long, too. */
  short?: string
  /** It is about containers: it needs an engine. The others have no use for one. */
  containers?: true
}

/** Every proof, by the name of its module. */
export const proofs: Record<string, Proof> = {
  audit: { claim: 'Whatever is killed, an operation and its event are one', full: '50 SEED', short: '4 SEED' },
  tamper: { claim: 'What is changed in the log is found, and where', full: '1000 SEED', short: '60 SEED' },
  access: { claim: 'Who may open what is what the policy says', full: 'SEED', short: 'SEED' },
  nophi: { claim: 'Nothing of a patient is where it does not belong', full: 'SEED' },
  edge: { claim: 'A hostile request is answered as it was meant to be', full: '5000 SEED' },
  input: {
    claim: 'Whatever is sent, the answer is one that the document names',
    full: '50000 SEED',
    short: '4000 SEED',
  },
  tokens: { claim: 'No forged token opens anything', full: '2000 SEED', short: '400 SEED' },
  refresh: { claim: 'A refresh token is good once, however it is raced', full: '200' },
  timing: { claim: 'How long a refused sign-in takes does not tell who has an account', full: '200' },
  matching: { claim: 'Duplicates of a person are found, and nobody else', full: '20000 SEED' },
  migrations: { claim: 'A migration undone loses what it made, and nothing else', full: 'SEED' },
  rolling: { claim: 'Every process is replaced under load without a failed request', full: '5' },
  consul: { claim: 'Without discovery requests go on', full: '10' },
  away: { claim: 'Without Redis, RabbitMQ or one service the rest goes on', full: '60' },
  disk: { claim: 'A full or failing disk loses no event', full: 'SEED' },
  soak: { claim: 'Under load, with everything on, nothing grows', full: '20' },
  restore: {
    claim: 'What is restored is what was there, and the log goes on',
    full: '0.5',
    containers: true,
  },
  alerts: { claim: 'Each alert is raised by its fault and clears', full: '40' },
  compose: { claim: 'In containers a deploy fails no request', full: '300', short: '150', containers: true },
  'compose-tls': { claim: 'In containers everything speaks TLS', full: '', short: '', containers: true },
}
