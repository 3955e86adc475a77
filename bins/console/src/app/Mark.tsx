/** The mark: three layers. Says nothing that the name beside it does not. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b5563" />
      <path d="M16 6 26 11 16 16 6 11Z" fill="#fff" />
      <g fill="none" strokeWidth="2.4" strokeLinejoin="round" strokeLinecap="round">
        <path d="m6 16 10 5 10-5" stroke="#9fd5df" />
        <path d="m6 21 10 5 10-5" stroke="#5fb3c2" />
      </g>
    </svg>
  );
}
