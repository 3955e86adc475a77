// Opens a page. Parameters: url; screenshot, a path to write a picture to; accessibility, true to have it examined.

import AxeBuilder from '@axe-core/playwright';

export default async function visit(context, { url, screenshot, accessibility }) {
  const page = await context.newPage();
  const answer = await page.goto(url);
  // Pages that fetch nothing more are quiet at once.
  await page.waitForLoadState('networkidle');
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
  const found = accessibility ? (await new AxeBuilder({ page }).analyze()).violations : [];
  const elements = (nodes) => nodes.map(({ html }) => html);
  return {
    url: page.url(),
    status: answer?.status() ?? null,
    title: await page.title(),
    text: await page.locator('body').innerText(),
    screenshot: screenshot ?? null,
    accessibility: found.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: elements(nodes) })),
  };
}
