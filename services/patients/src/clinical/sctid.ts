/** The product of two elements of the dihedral group of order ten: 0..4 turn, 5..9 turn and mirror. */
function multiply(a: number, b: number): number {
  const turn = ((a % 5) + (a < 5 ? b % 5 : 5 - (b % 5))) % 5
  return a < 5 === b < 5 ? turn : turn + 5
}
const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
const permute = (digit: number, times: number): number => (times ? permute(permutation[digit]!, times - 1) : digit)

/**
 * Whether that is a SNOMED CT identifier: 6 to 18 digits, the last one a check digit by Verhoeff, which finds every single
 * wrong digit and every swap of neighbours (SNOMED CT Release File Specifications, 6: SCTID).
 */
export function isSctid(code: string): boolean {
  if (!/^[1-9]\d{5,17}$/.test(code)) return false
  const digits = [...code].reverse().map(Number)
  return digits.reduce((sum, digit, place) => multiply(sum, permute(digit, place % 8)), 0) === 0
}
