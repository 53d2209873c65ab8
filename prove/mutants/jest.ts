/** `@jest/globals` where tests run without jest's own process and registry of modules, a second each. */
import { expect } from 'expect'
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'jest-circus'

export { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test }
