import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const tide: MantineColorsTuple = [
  '#eaf6f8',
  '#d4eaee',
  '#a8d5de',
  '#79bfcd',
  '#53abbd',
  '#3092a6',
  '#177b90',
  '#0f687b',
  '#0b5563',
  '#083f4a',
];

/** Cooler than the library's: text, lines and surfaces of the dark scheme, from light to dark. */
const dark: MantineColorsTuple = [
  '#e3e8ee',
  '#c6cfd9',
  '#a3afbd',
  '#8391a1',
  '#39444f',
  '#2b343e',
  '#202830',
  '#171d24',
  '#11161c',
  '#0b0f13',
];

const gray: MantineColorsTuple = [
  '#f7f9fb',
  '#eff2f6',
  '#e4e9ef',
  '#d5dce4',
  '#c0c9d4',
  '#9aa6b4',
  '#6b7887',
  '#4d5967',
  '#343e4a',
  '#1d252e',
];

const DIALOG = {
  closeButtonProps: { 'aria-label': 'Close' },
  // The library makes it a <header>, which would be a second banner of the page.
  attributes: { header: { role: 'presentation' } },
};

export const theme = createTheme({
  primaryColor: 'tide',
  primaryShade: { light: 7, dark: 6 },
  colors: { tide, dark, gray },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.3' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.45' },
    },
  },
  // Plain objects: the components themselves would all be in the first load.
  components: {
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Alert: { defaultProps: { variant: 'light' } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 500 } },
    Button: { defaultProps: { size: 'sm' } },
    Drawer: { defaultProps: { position: 'right', size: 'lg', ...DIALOG } },
    // Opened inside the main landmark, where screen readers look for it.
    Menu: {
      defaultProps: {
        position: 'bottom-end',
        shadow: 'md',
        withInitialFocusPlaceholder: false,
        portalProps: { target: '#main' },
      },
    },
    Modal: { defaultProps: { centered: true, ...DIALOG } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Paper: { defaultProps: { withBorder: true, p: 'md' } },
    Skeleton: { defaultProps: { className: 'late' } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm', fz: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 150, events: { hover: true, focus: true, touch: true } } },
  },
});

/** The quiet variants of a colour: for alerts, badges and buttons that do not shout. */
function quiet(name: string, background: string, hover: string, text: string): Record<string, string> {
  return {
    [`--mantine-color-${name}-light`]: background,
    [`--mantine-color-${name}-light-hover`]: hover,
    [`--mantine-color-${name}-light-color`]: text,
  };
}

/** Where the library's own colours fall short of a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3) or of calm. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#1d252e',
    '--mantine-color-dimmed': '#566270',
    '--mantine-color-placeholder': '#647080',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': '#0b5563',
    '--mantine-color-default-border': '#d5dce4',
    '--app-canvas': '#f4f6f9',
    '--app-line': '#e4e9ef',
    '--app-hover': '#f2f6f8',
    '--app-chosen': '#e2f0f3',
    '--app-chosen-text': '#083f4a',
    '--app-good': '#18794e',
    '--app-warn': '#9a6700',
    '--app-bad': '#b42318',
    '--app-idle': '#6b7887',
    ...quiet('red', '#fdeeec', '#fbe0dd', '#912018'),
    ...quiet('yellow', '#fdf5e0', '#faecc6', '#6b4700'),
    ...quiet('teal', '#e6f5ee', '#d5ede1', '#0f5a39'),
    ...quiet('tide', '#e2f0f3', '#d0e7ec', '#083f4a'),
    ...quiet('gray', '#eff2f6', '#e4e9ef', '#343e4a'),
  },
  dark: {
    '--mantine-color-body': '#161c22',
    '--mantine-color-text': '#dbe2ea',
    '--mantine-color-dimmed': '#9aa7b5',
    '--mantine-color-placeholder': '#8a97a6',
    '--mantine-color-error': '#ff8b80',
    '--mantine-color-anchor': '#79bfcd',
    '--mantine-color-default-border': '#323c47',
    '--app-canvas': '#0f1419',
    '--app-line': '#262f38',
    '--app-hover': '#1c242c',
    '--app-chosen': '#16323a',
    '--app-chosen-text': '#d4eaee',
    '--app-good': '#4cc38a',
    '--app-warn': '#e3a93c',
    '--app-bad': '#ff8b80',
    '--app-idle': '#8391a1',
    ...quiet('red', '#3a2022', '#46282a', '#ffb4ac'),
    ...quiet('yellow', '#332a17', '#3f341d', '#f0cf8d'),
    ...quiet('teal', '#16302a', '#1c3b34', '#8fdcb8'),
    ...quiet('tide', '#16323a', '#1c3d47', '#a8d5de'),
    ...quiet('gray', '#242d36', '#2b353f', '#c6cfd9'),
  },
});
