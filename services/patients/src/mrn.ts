/** Check digit by Luhn (ISO/IEC 7812-1 annex B): finds every single wrong digit and most swaps of neighbours. */
function checkDigit(digits: string): number {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = Number(digit) * (place % 2 === 0 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return (10 - (sum % 10)) % 10
}

/** A medical record number: at least eight digits, the last one a check digit. */
export function formatMrn(sequence: bigint): string {
  const digits = (1_000_000n + sequence).toString()
  return digits + String(checkDigit(digits))
}

export function isMrn(value: string): boolean {
  return /^\d{8,}$/.test(value) && checkDigit(value.slice(0, -1)) === Number(value.at(-1))
}
