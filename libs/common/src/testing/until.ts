import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until a condition holds. @throws after `seconds` without it */
export async function until(condition: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await condition()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${condition.toString()} did not hold within ${seconds} s`)
  }
}
