/** The product's mark: a gate that lets through what is on record. */
export const Mark = () => (
  <span class="mark">
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect fill="var(--accent)" width="20" height="20" rx="5" />
      <path stroke="var(--on-accent)" stroke-width="2" stroke-linecap="round" fill="none" d="M5.5 10.2l3 3 6-6.4" />
    </svg>
    Caregate
  </span>
)
