import { useEffect, useState } from 'preact/hooks'
import { eventTypes } from '@caregate/common/events'
import { actionNames, formatSpan, isUuid } from './format.ts'
import { Field, Select } from './parts.tsx'

/** What the list, the stream and the chart are limited to; empty where they aren't. */
export interface Filter {
  actorId: string
  patientId: string
  outcome: string
  type: string
  action: string
  /** ISO moments, of a piece of the chart. */
  from: string
  to: string
}
export const noFilter: Filter = { actorId: '', patientId: '', outcome: '', type: '', action: '', from: '', to: '' }

const outcomes = [
  ['', 'Any'],
  ['success', 'Success'],
  ['denied', 'Denied'],
  ['failure', 'Failure'],
] as const
const actions = [['', 'Any'], ...Object.entries(actionNames)] as [string, string][]
const services = Map.groupBy(eventTypes, (type) => type.split('.', 1)[0]!)

interface FiltersProps {
  filter: Filter
  onFilter(filter: Filter): void
}

/** Choices count at once, what is typed when it is done: with Enter, or by leaving the field. */
export function Filters({ filter, onFilter }: FiltersProps) {
  const [typed, setTyped] = useState({ actorId: filter.actorId, patientId: filter.patientId })
  useEffect(
    () => setTyped({ actorId: filter.actorId, patientId: filter.patientId }),
    [filter.actorId, filter.patientId],
  )
  const wrongPatient = typed.patientId !== '' && !isUuid(typed.patientId)
  const set = (part: Partial<Filter>): void => onFilter({ ...filter, ...part })
  function apply(): void {
    if (wrongPatient || (typed.actorId === filter.actorId && typed.patientId === filter.patientId)) return
    set(typed)
  }
  const field = (name: keyof typeof typed) => ({
    value: typed[name],
    spellcheck: false,
    autocomplete: 'off',
    placeholder: 'Id',
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
      setTyped({ ...typed, [name]: currentTarget.value.trim() }),
    onChange: apply,
  })
  const isEmpty = Object.values(filter).every((value) => value === '')

  return (
    <form
      class="wrap filters"
      role="search"
      aria-label="Events"
      onSubmit={(event) => {
        event.preventDefault()
        apply()
      }}
    >
      <Select label="Outcome" value={filter.outcome} options={outcomes} onChoose={(outcome) => set({ outcome })} />
      <Select label="Action" value={filter.action} options={actions} onChoose={(action) => set({ action })} />
      <Field label="Type">
        <select value={filter.type} onChange={({ currentTarget }) => set({ type: currentTarget.value })}>
          <option value="">Any</option>
          {[...services].map(([service, types]) => (
            <optgroup key={service} label={service}>
              {types.map((type) => (
                <option key={type} value={type} selected={type === filter.type}>
                  {type}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </Field>
      <Field label="Actor" wide>
        <input {...field('actorId')} />
      </Field>
      <Field label="Patient" wide>
        <input
          {...field('patientId')}
          aria-invalid={wrongPatient}
          aria-describedby={wrongPatient ? 'wrong-patient' : undefined}
        />
        {wrongPatient && (
          <span id="wrong-patient" class="field-problem">
            A patient’s id is a UUID
          </span>
        )}
      </Field>
      {filter.from && (
        <button type="button" class="chip" onClick={() => set({ from: '', to: '' })}>
          {formatSpan(filter.from, filter.to)}
          <span class="hidden">: show all times again</span>
          <span aria-hidden="true"> ×</span>
        </button>
      )}
      {!isEmpty && (
        <button type="button" class="quiet" onClick={() => onFilter(noFilter)}>
          Clear
        </button>
      )}
    </form>
  )
}
