import ts from 'typescript'

/** A small change of a file, as somebody might make it by mistake. */
export interface Mutant {
  line: number
  start: number
  end: number
  text: string
}

const K = ts.SyntaxKind
/** What stands in for an operator. */
const operators: Partial<Record<ts.SyntaxKind, string[]>> = {
  [K.LessThanToken]: ['<=', '>='],
  [K.LessThanEqualsToken]: ['<', '>'],
  [K.GreaterThanToken]: ['>=', '<='],
  [K.GreaterThanEqualsToken]: ['>', '<'],
  [K.EqualsEqualsEqualsToken]: ['!=='],
  [K.ExclamationEqualsEqualsToken]: ['==='],
  [K.AmpersandAmpersandToken]: ['||'],
  [K.BarBarToken]: ['&&'],
  [K.PlusToken]: ['-'],
  [K.MinusToken]: ['+'],
  [K.AsteriskToken]: ['/'],
  [K.SlashToken]: ['*'],
  [K.PercentToken]: ['*'],
  [K.PlusEqualsToken]: ['-='],
  [K.MinusEqualsToken]: ['+='],
  [K.QuestionQuestionEqualsToken]: ['='],
}
/** Of `a && b`, `a || b` and `a ?? b` also one side alone. */
const choices = new Set([K.AmpersandAmpersandToken, K.BarBarToken, K.QuestionQuestionToken])
const opposites = new Map(
  ['some every', 'startsWith endsWith', 'min max', 'push unshift', 'ceil floor'].flatMap((pair) => {
    const [one, other] = pair.split(' ') as [string, string]
    return [[one, other] as const, [other, one] as const]
  }),
)
/** Calls whose result is much like what they are called on. */
const passing = new Set(
  'filter slice sort toSorted reverse trim normalize toLowerCase toUpperCase replaceAll replace toWellFormed'.split(
    ' ',
  ),
)

/** What people are told in words is no rule: it may change freely. */
const isSaid = (node: ts.Node): boolean =>
  (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) ||
  (ts.isCallExpression(node) && /^(log|console)\b|\.messages$/.test(node.expression.getText())) ||
  (ts.isPropertyAssignment(node) && node.name.getText() === 'message') ||
  (ts.isStringLiteralLike(node) && (isSentence(node.text) || isDescription(node.parent))) ||
  (ts.isTemplateExpression(node) && isSentence(node.head.text))
const isSentence = (text: string): boolean => /^[A-Z`][a-z`]* /.test(text)
const isDescription = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && /\.description$/.test(node.expression.getText())

/** Types, names of members, and templates that a function reads. */
const isBare = (node: ts.Node): boolean =>
  ts.isTypeNode(node) ||
  (ts.isPropertyName(node) && ts.isPropertyAssignment(node.parent) && node.parent.name === node) ||
  ts.isTaggedTemplateExpression(node) ||
  ts.isImportDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node)

/** The only statement of an `if`: that its condition never holds is a mutant already. */
const isOnlyOfIf = ({ parent }: ts.Node): boolean =>
  ts.isIfStatement(parent) ||
  (ts.isBlock(parent) &&
    parent.statements.length === 1 &&
    ts.isIfStatement(parent.parent) &&
    !parent.parent.elseStatement)

/** Every mutant of a TypeScript file, in the order of the text. */
export function mutantsOf(source: string): Mutant[] {
  const file = ts.createSourceFile('file.ts', source, ts.ScriptTarget.Latest, true)
  const mutants: Mutant[] = []
  const replace = (from: number, end: number, ...texts: string[]) => {
    const line = file.getLineAndCharacterOfPosition(from).line + 1
    for (const text of texts) mutants.push({ line, start: from, end, text })
  }
  const put = (node: ts.Node, ...texts: string[]) => replace(node.getStart(file), node.getEnd(), ...texts)
  /** A member of a list, with the comma behind it. */
  const omit = (node: ts.Node) => {
    const comma = /^\s*,/.exec(source.slice(node.getEnd()))
    replace(node.getStart(file), node.getEnd() + (comma?.[0].length ?? 0), '')
  }

  function visit(node: ts.Node): void {
    if (isBare(node) || isSaid(node)) return
    mutate(node)
    ts.forEachChild(node, visit)
  }

  function mutate(node: ts.Node): void {
    const text = node.getText(file)
    if (ts.isBinaryExpression(node)) {
      put(node.operatorToken, ...(operators[node.operatorToken.kind] ?? []))
      if (choices.has(node.operatorToken.kind)) put(node, node.left.getText(file), node.right.getText(file))
    } else if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator === K.ExclamationToken || node.operator === K.MinusToken) put(node, node.operand.getText(file))
    } else if (ts.isPostfixUnaryExpression(node)) {
      put(node, node.operand.getText(file) + (node.operator === K.PlusPlusToken ? '--' : '++'))
    } else if (ts.isConditionalExpression(node)) put(node.condition, 'true', 'false')
    else if (ts.isIfStatement(node)) put(node.expression, 'true', 'false')
    else if (ts.isWhileStatement(node)) put(node.expression, 'false')
    else if (ts.isForStatement(node) && node.condition) put(node.condition, 'false')
    else if (node.kind === K.TrueKeyword) put(node, 'false')
    else if (node.kind === K.FalseKeyword) put(node, 'true')
    else if (ts.isNumericLiteral(node))
      put(node, ...(Number(node.text) ? [1, -1] : [1]).map((by) => `(${Number(node.text) + by})`))
    else if (ts.isStringLiteralLike(node)) put(node, node.text ? "''" : "'mutant'")
    else if (ts.isTemplateExpression(node)) put(node, "''")
    else if (ts.isRegularExpressionLiteral(node)) mutateRegex(node, text)
    else if (ts.isArrayLiteralExpression(node)) node.elements.forEach(omit)
    else if (ts.isObjectLiteralExpression(node)) node.properties.forEach(omit)
    else if (ts.isPropertyAccessExpression(node) && node.questionDotToken) put(node.questionDotToken, '.')
    else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: of, name } = node.expression
      if (opposites.has(name.text)) put(name, opposites.get(name.text)!)
      if (passing.has(name.text)) put(node, of.getText(file))
    } else if (isStatement(node) && !isOnlyOfIf(node)) put(node, ';')
  }

  function mutateRegex(node: ts.Node, text: string): void {
    const end = text.lastIndexOf('/')
    const [body, flags] = [text.slice(1, end), text.slice(end + 1)]
    if (body.startsWith('^')) put(node, `/${body.slice(1)}/${flags}`)
    if (body.endsWith('$')) put(node, `/${body.slice(0, -1)}/${flags}`)
    if (flags.includes('i')) put(node, `/${body}/${flags.replace('i', '')}`)
    for (const { 0: found, index } of body.matchAll(/[+*](?=[^?]|$)|\{\d+(,\d*)?\}/g)) {
      if (body[index - 1] !== '\\') put(node, `/${body.slice(0, index)}${body.slice(index + found.length)}/${flags}`)
    }
  }

  /** Not the last `return`: without it there is nothing to run. */
  function isStatement(node: ts.Node): boolean {
    if (ts.isReturnStatement(node)) return !(ts.isBlock(node.parent) && ts.isFunctionLike(node.parent.parent))
    return (
      ts.isExpressionStatement(node) ||
      ts.isThrowStatement(node) ||
      ts.isContinueStatement(node) ||
      ts.isBreakStatement(node)
    )
  }

  visit(file)
  return mutants
}

export const applied = (source: string, { start, end, text }: Mutant): string =>
  source.slice(0, start) + text + source.slice(end)
