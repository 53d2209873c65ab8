/** A message of an event stream; one without data only moves the position. */
export interface Message {
  id: string | undefined
  event: string
  data: string
}

/**
 * Reads an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream), which
 * may come in pieces that are cut anywhere.
 * @returns takes the next piece
 */
export function buildSseParser(onMessage: (message: Message) => void): (piece: string) => void {
  let rest = ''
  let id: string | undefined
  let event = ''
  let data: string[] = []

  function takeLine(line: string): void {
    if (line === '') {
      if (id !== undefined || data.length) onMessage({ id, event: event || 'message', data: data.join('\n') })
      id = undefined
      event = ''
      data = []
      return
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line)!
    if (name === 'id' && !value!.includes('\0')) id = value
    else if (name === 'event') event = value!
    else if (name === 'data') data.push(value!)
  }

  return (piece) => {
    const text = rest + piece
    // a carriage return at the end may be half of a line's end
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()!
    lines.forEach(takeLine)
  }
}
