import type { ComponentChildren, Ref } from 'preact'
import type { Outcome } from '@caregate/common/events'
import type { More } from './load.ts'
import { ApiError } from './session.ts'

const outcomeNames = { success: 'Success', denied: 'Denied', failure: 'Failure' } as const

export const OutcomeMark = ({ outcome }: { outcome: Outcome }) => (
  <span class={`outcome is-${outcome}`}>{outcomeNames[outcome]}</span>
)

export const Field = ({ label, children, wide }: { label: string; children: ComponentChildren; wide?: boolean }) => (
  <label class={wide ? 'field is-wide' : 'field'}>
    <span>{label}</span>
    {children}
  </label>
)

interface SelectProps<T extends string> {
  label: string
  value: T
  options: readonly (readonly [value: T, name: string])[]
  onChoose: (value: NoInfer<T>) => void
}
export const Select = <T extends string>({ label, value, options, onChoose }: SelectProps<T>) => (
  <Field label={label}>
    <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value as T)}>
      {options.map(([one, name]) => (
        <option key={one} value={one} selected={one === value}>
          {name}
        </option>
      ))}
    </select>
  </Field>
)

/** A few exclusive choices side by side. */
export const Choice = <T extends string>({ label, value, options, onChoose }: SelectProps<T>) => (
  <div class="choice" role="group" aria-label={label}>
    {options.map(([one, name]) => (
      <button key={one} type="button" aria-pressed={one === value} onClick={() => onChoose(one)}>
        {name}
      </button>
    ))}
  </div>
)

/** What is shown in place of a list: that it is empty, on its way, or why it isn't there. */
export const Notice = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="notice">
    <p class="notice-title">{title}</p>
    {children}
  </div>
)

export const Loading = ({ what }: { what: string }) => (
  <div class="notice" role="status">
    <p>Loading {what}</p>
  </div>
)

export const Failure = ({ error, onRetry }: { error: unknown; onRetry?: () => void }) => (
  <div class="notice is-failure" role="alert">
    <p class="notice-title">{sentenceOf(error)}</p>
    {onRetry && (
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
)

interface OlderProps {
  state: More
  onLoad(): void
  foot?: Ref<HTMLDivElement>
}
export const Older = ({ state, onLoad, foot = null }: OlderProps) => (
  <div class="list-foot no-print" ref={foot}>
    {typeof state === 'object' && <Failure error={state.error} />}
    <button type="button" onClick={onLoad} aria-disabled={state === 'loading'}>
      {state === 'loading' ? 'Loading' : 'Load older'}
    </button>
  </div>
)

export function sentenceOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 404 && error.message === 'There is no such path.')
    return 'This gateway doesn’t offer this.'
  return error instanceof ApiError ? error.message : 'Something unforeseen went wrong in the console.'
}
