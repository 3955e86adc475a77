// A browser that writes down everything that should not happen: violations of the content security policy, errors of the
// console, answers that no step expected, requests to anywhere else, and what axe finds.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const VARIANTS = [
  { name: '1280-light', width: 1280, height: 860, colorScheme: 'light' },
  { name: '1280-dark', width: 1280, height: 860, colorScheme: 'dark' },
  { name: '390-light', width: 390, height: 844, colorScheme: 'light' },
  { name: '390-dark', width: 390, height: 844, colorScheme: 'dark' },
];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export class Browser {
  problems = [];
  screens = new Set();
  /** Answers that the present step is about, such as `401 POST /api/v1/auth/login`. */
  expected = [];
  /** Refusals that only say that there is nothing yet. */
  usual = [];

  static async launch({ base, out }) {
    const browser = new Browser();
    browser.base = base;
    browser.out = out;
    mkdirSync(out, { recursive: true });
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return browser;
  }

  problem(text) {
    this.problems.push(`${this.step ?? 'start'}: ${text}`);
    console.error(`  ! ${text}`);
  }

  async context() {
    const context = await this.chromium.newContext({
      // On this machine the certificate was made a moment ago.
      ignoreHTTPSErrors: new URL(this.base).hostname === 'localhost',
      viewport: { width: 1280, height: 860 },
      acceptDownloads: true,
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: this.base });
    await context.exposeBinding('reportViolation', (_source, text) => this.problem(`CSP: ${text}`));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        window.reportViolation(
          `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
        );
      });
    });
    context.on('page', (page) => this.watch(page));
    return context;
  }

  watch(page) {
    page.on('pageerror', (error) => this.problem(`exception: ${error.message}`));
    page.on('console', (message) => {
      // What failed to load is judged by its answer, below.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.problem(`console: ${message.text()}`);
      }
    });
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== this.base) this.problem(`request to ${origin}`);
    });
    page.on('response', (response) => {
      if (response.status() < 400) return;
      const line = `${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`;
      if (![...this.usual, ...this.expected].some((expected) => line.startsWith(expected)))
        this.problem(`unexpected answer: ${line}`);
    });
  }

  /** Looks at a screen in every size and colour: a picture of each, and axe on each. */
  async inspect(page, name, { only } = {}) {
    this.screens.add(name);
    const found = new Map();
    for (const variant of VARIANTS) {
      if (only && !only.includes(variant.name)) continue;
      await page.setViewportSize({ width: variant.width, height: variant.height });
      await page.emulateMedia({ colorScheme: variant.colorScheme, reducedMotion: 'reduce' });
      await page.waitForTimeout(350);
      await page.screenshot({ path: join(this.out, `${name}-${variant.name}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) this.problem(`${name} ${variant.name}: ${wide} px wider than the window`);
      const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
      for (const { id, help, nodes } of violations) {
        const where = nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`);
        const text = `${id} (${help}) at ${where.join(' | ')}`;
        found.set(text, [...(found.get(text) ?? []), variant.name]);
      }
    }
    for (const [text, variants] of found) this.problem(`axe, ${name} ${variants.join(', ')}: ${text}`);
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  }

  async close() {
    await this.chromium.close();
  }
}
