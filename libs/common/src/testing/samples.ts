/** What a scrape says, by name and labels as they stand in it. */
export const samplesOf = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )

/** How many requests there were, by method, route and status: `GET patients 200`. */
export function requestsOf(text: string): Record<string, number> {
  const counted =
    /^http_server_request_duration_seconds_count\{http_request_method="(.+)",http_route="(.+)",http_response_status_code="(.+)"\}$/
  return Object.fromEntries(
    [...samplesOf(text)].flatMap(([name, count]) => {
      const [, ...labels] = counted.exec(name) ?? []
      return labels.length ? [[labels.join(' '), count]] : []
    }),
  )
}
