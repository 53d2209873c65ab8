import { invalid } from '@caregate/common/errors'
import { soundOf } from '../match/compare.ts'
import { foldName, type Demographics } from '../patient.ts'

/** The words by which a chart is found: of its name, the family's first, and of all that the person is or was called besides; folded. */
export function wordsOf({ name, otherNames }: Pick<Demographics, 'name' | 'otherNames'>): string[] {
  const names = [name, ...otherNames].flatMap(({ given, family }) => [family ?? '', ...given])
  return typedWords(names.join(' '))
}

const typedWords = (text: string): string[] => [...new Set(foldName(text).split(' ').filter(Boolean))]

const wordsAtMost = 50

/**
 * The words of all fields by which names are looked for.
 * @throws {AppError} 422 where a field has no word in it, as that would find everybody, or they have too many
 */
export function askedWords(fields: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  const asked = new Set<string>()
  for (const [path, texts = []] of Object.entries(fields))
    for (const text of [texts].flat()) {
      const words = typedWords(text)
      if (!words.length) throw invalid({ path, message: `${path} must have a word in it` })
      for (const word of words) asked.add(word)
      if (asked.size > wordsAtMost)
        throw invalid({ path, message: `${path} must not make it more than ${wordsAtMost} words` })
    }
  return [...asked]
}

/**
 * All words in one line, each between spaces: what is looked for in it needn't care for the ends. No more than an index takes:
 * names that are longer are found by each word still.
 */
export const lineOf = (words: readonly string[]): string => `${` ${words.join(' ')}`.slice(0, 500)} `

/** In a shorter word no typing mistake is looked for: everything would be like it. */
export const isTypable = (word: string): boolean => [...word].length >= 4

/**
 * What two words have in common when one letter of the one is missing, wrong, too many or swapped with its neighbour in
 * the other, or when they sound alike: the word, each of its one-letter deletions, and its sound (SymSpell's idea:
 * https://github.com/wolfgarbe/SymSpell). Found by equality, however many words there are.
 */
export function variantsOf(word: string): string[] {
  if (!isTypable(word)) return [word]
  const letters = [...word]
  const deletions = letters.map((_, at) => letters.toSpliced(at, 1).join(''))
  return [...new Set([word, ...deletions, `~${soundOf(word)}`])]
}
