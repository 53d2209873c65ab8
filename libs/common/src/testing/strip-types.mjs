import { stripTypeScriptTypes } from 'node:module'

/** For jest: the same type stripping that Node does when it runs a file. */
export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) }
