import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { count, roll, totals } from './activity.ts'
import type { Activity, LogEvent } from './api.ts'
import type { Filter } from './filters.tsx'
import { formatCount, formatDay, formatSeconds, formatTime, plural } from './format.ts'
import { sizeOf } from './event-list.ts'
import { useLoaded } from './load.ts'
import { Choice, Failure } from './parts.tsx'
import type { Session } from './session.ts'

const ranges = [
  ['1', '1 h'],
  ['24', '24 h'],
  ['168', '7 d'],
  ['720', '30 d'],
] as const
const rangeNames = { 1: 'hour', 24: '24 hours', 168: '7 days', 720: '30 days' } as const
type Hours = (typeof ranges)[number][0]
/** From the bottom up: what is rare stays visible. */
const outcomes = ['failure', 'denied', 'success'] as const
const hourMs = 3_600_000
const heightPx = 148

interface ActivityChartProps {
  session: Session
  filter: Filter
  /** Where the stream begins; another one when it begins anew. */
  start: Promise<number>
  /** Where the stream's events are handed over. */
  onLive: RefObject<(event: LogEvent) => void>
  /** A piece of time was chosen, or none any more. */
  onRange(from: string, to: string): void
  /** Begins anew, the stream too. */
  onRetry(): void
}

export function ActivityChart({ session, filter, start, onLive, onRange, onRetry }: ActivityChartProps) {
  const [hours, setHours] = useState<Hours>('1')
  const [hovered, setHovered] = useState<number>()
  const { from, to, ...asked } = filter
  const streamed = useRef<LogEvent[]>([])
  onLive.current = (event) => void streamed.current.push(event)
  const loaded = useLoaded(
    async (signal) => {
      streamed.current = []
      await start
      // read last, so that next to nothing is both behind it and in the answer
      const position = await sizeOf(session, signal)
      const now = Date.now()
      const window = { from: new Date(now - Number(hours) * hourMs).toISOString(), to: new Date(now).toISOString() }
      const activity = await session.get<Activity>('/audit/activity', { ...asked, ...window }, signal)
      return { activity, hours, position }
    },
    [start, hours],
  )
  const there = loaded.state === 'there' ? loaded.value : undefined
  const busy = loaded.state === 'there' && loaded.busy
  const activity = useLive(there, busy, streamed)
  const buckets = activity?.buckets ?? []
  const shown = hovered === undefined ? undefined : buckets[hovered]
  const sums = totals(shown ? [shown] : buckets)
  const span = activity ? activity.bucketSeconds * 1000 : 0
  const choose = (start: number, end: number): void => {
    if (!span) return
    onRange(new Date(start).toISOString(), new Date(end).toISOString())
  }

  return (
    <section class="panel activity" aria-label="Activity">
      <div class="wrap activity-head">
        <h2>Activity</h2>
        <dl class="wrap legend">
          {outcomes.toReversed().map((outcome) => (
            <div key={outcome} class={`is-${outcome}`}>
              <dt>{outcome}</dt>
              <dd>{activity ? formatCount(sums[outcome]) : '–'}</dd>
            </div>
          ))}
        </dl>
        <span class="muted hovered">
          {shown && `${formatDay(shown.start)} ${formatTime(shown.start)}, ${formatSeconds(span / 1000)}`}
        </span>
        <Choice label="Range" value={hours} options={ranges} onChoose={setHours} />
      </div>
      {loaded.state === 'failed' ? (
        <Failure error={loaded.error} onRetry={onRetry} />
      ) : (
        <>
          <div
            role="img"
            class={activity ? 'chart' : 'chart is-loading'}
            aria-label={`Events of the last ${rangeNames[there?.hours ?? hours]}: ${outcomes
              .toReversed()
              .map((outcome) => `${formatCount(totals(buckets)[outcome])} ${outcome}`)
              .join(', ')}. The table below has the figures.`}
          >
            {activity && <Plot activity={activity} from={from} to={to} onHover={setHovered} onChoose={choose} />}
          </div>
          <Figures activity={activity} onChoose={choose} />
        </>
      )}
    </section>
  )
}

/** What was loaded, and since then the stream's events and the time that passes. */
function useLive(
  loaded: { activity: Activity; position: number } | undefined,
  busy: boolean,
  streamed: RefObject<LogEvent[]>,
): Activity | undefined {
  const [activity, setActivity] = useState(loaded?.activity)
  useEffect(() => setActivity(loaded?.activity), [loaded])
  useEffect(() => {
    // what comes meanwhile is kept for what is on its way
    if (!loaded || busy) return
    const timer = setInterval(() => {
      const events = streamed.current.splice(0).filter(({ sequence }) => sequence > loaded.position)
      setActivity((before) => {
        const rolled = before && roll(before, Date.now())
        if (!rolled || (!events.length && rolled.buckets === before.buckets)) return before
        return count(rolled, events)
      })
    }, 500)
    return () => clearInterval(timer)
  }, [loaded, busy])
  return activity
}

interface PlotProps {
  activity: Activity
  from: string
  to: string
  onHover(index: number | undefined): void
  onChoose(start: number, end: number): void
}

/** Each series is drawn from the bottom; those that lie above others are drawn first. */
function stack({ buckets }: Activity): uPlot.AlignedData {
  const x = buckets.map(({ start }) => Date.parse(start) / 1000)
  const failure = buckets.map((bucket) => bucket.failure)
  const denied = buckets.map((bucket, n) => failure[n]! + bucket.denied)
  return [x, buckets.map((bucket, n) => denied[n]! + bucket.success), denied, failure]
}

function Plot({ activity, from, to, onHover, onChoose }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null)
  const probe = useRef<HTMLElement>(null)
  const plot = useRef<uPlot>(null)
  // uPlot calls back long after this rendering
  const latest = useRef({ activity, onHover, onChoose })
  latest.current = { activity, onHover, onChoose }

  useEffect(() => {
    const element = frame.current!
    // a canvas knows no variables: an element that isn't seen has its colours
    const ink = (name: string) => (): string => {
      probe.current!.style.color = `var(--${name})`
      return getComputedStyle(probe.current!).color
    }
    const bars = uPlot.paths.bars!({ size: [0.82, 28], align: 1 })
    const series = (name: string): uPlot.Series => ({
      paths: bars,
      fill: ink(name),
      width: 0,
      points: { show: false },
    })
    const axis = { stroke: ink('muted'), font: '11px system-ui, sans-serif', ticks: { show: false } }
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: heightPx,
        padding: [8, 16, 0, 0],
        legend: { show: false },
        scales: {
          x: { range: (_self, min, max) => [min, max + latest.current.activity.bucketSeconds] },
          y: { range: (_self, _min, max) => [0, Math.max(4, max * 1.08)] },
        },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
        series: [{}, series('success-bar'), series('denied-bar'), series('failure-bar')],
        axes: [
          { ...axis, grid: { show: false }, size: 26, gap: 6, space: 70, values: timeLabels },
          {
            ...axis,
            grid: { stroke: ink('line'), width: 1 },
            size: 46,
            gap: 8,
            space: 32,
            incrs: [1, 2, 5]
              .flatMap((n) => [0, 1, 2, 3, 4, 5, 6, 7].map((power) => n * 10 ** power))
              .sort((a, b) => a - b),
            values: (_self, values) => values.map((value) => formatCount(value)),
          },
        ],
        hooks: {
          setCursor: [
            ({ cursor, posToVal }) => {
              const { bucketSeconds, buckets } = latest.current.activity
              const inside = cursor.left !== undefined && cursor.left >= 0
              const first = Date.parse(buckets[0]?.start ?? '') / 1000
              const index = Math.floor((posToVal(cursor.left ?? 0, 'x') - first) / bucketSeconds)
              latest.current.onHover(inside ? index : undefined)
            },
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select
              if (width < 2) return
              const span = latest.current.activity.bucketSeconds
              const start = Math.floor(self.posToVal(left, 'x') / span) * span
              const end = Math.ceil(self.posToVal(left + width, 'x') / span) * span
              latest.current.onChoose(start * 1000, end * 1000)
            },
          ],
        },
      },
      stack(activity),
      element,
    )
    plot.current = chart
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: heightPx }))
    resized.observe(element)
    const repaint = (): void => chart.redraw()
    const theme = new MutationObserver(repaint)
    theme.observe(document.documentElement, { attributeFilter: ['style'] })
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', repaint)
    return () => {
      resized.disconnect()
      theme.disconnect()
      system.removeEventListener('change', repaint)
      chart.destroy()
    }
  }, [])
  useEffect(() => plot.current!.setData(stack(activity)), [activity])
  useEffect(() => {
    const chart = plot.current!
    const [left, right] = [from, to].map((moment) => chart.valToPos(Date.parse(moment) / 1000, 'x')) as [number, number]
    const select = from ? { left, width: right - left } : { left: 0, width: 0 }
    chart.setSelect({ ...select, top: 0, height: from ? chart.over.clientHeight : 0 }, false)
  }, [from, to, activity])

  return (
    <div ref={frame}>
      <i ref={probe} hidden />
    </div>
  )
}

/** The time, and the day where it is another one than that of the label before. */
const timeLabels = (_self: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] =>
  splits.map((split, n) => {
    const [day, time] = [formatDay(split * 1000), formatTime(split * 1000).slice(0, 5)]
    if (step >= 86_400) return day
    return n > 0 && formatDay(splits[n - 1]! * 1000) !== day ? day : time
  })

/** The same for whoever can't see or point. */
function Figures({ activity, onChoose }: { activity: Activity | undefined; onChoose: PlotProps['onChoose'] }) {
  const busy = activity?.buckets.filter(({ success, denied, failure }) => success + denied + failure > 0) ?? []
  return (
    <details class="figures">
      <summary>Figures as a table</summary>
      <div class="figures-scroll" tabIndex={0} role="region" aria-label="Figures">
        <table>
          <caption class="hidden">{plural(busy.length, 'interval')} with events; the others had none</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              {outcomes.toReversed().map((outcome) => (
                <th key={outcome} scope="col" class="number">
                  {outcome}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {busy.toReversed().map(({ start, ...sums }) => (
              <tr key={start}>
                <td>
                  <button
                    type="button"
                    class="link"
                    title="Show the events of this time"
                    onClick={() => onChoose(Date.parse(start), Date.parse(start) + activity!.bucketSeconds * 1000)}
                  >
                    {formatDay(start)} {formatTime(start)}
                  </button>
                </td>
                {outcomes.toReversed().map((outcome) => (
                  <td key={outcome} class="number">
                    {formatCount(sums[outcome])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
