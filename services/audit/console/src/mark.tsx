/** The product's mark: a gate that lets through what is on record. */
export const Mark = () => (
  <span class="mark">
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect class="mark-ground" width="20" height="20" rx="5" />
      <path class="mark-line" d="M5.5 10.2l3 3 6-6.4" />
    </svg>
    Caregate
  </span>
)
