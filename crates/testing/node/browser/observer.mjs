// What happens in a browser while a scenario runs.

// Runs in every document before any script of the page, so that nothing which a page tidies away is missed.
function observe() {
  if (window.top === window) window.stratoraArrival(window.location.href);
  document.addEventListener('securitypolicyviolation', (event) => {
    const { documentURI, violatedDirective, blockedURI, sample, disposition } = event;
    window.stratoraViolation({ documentURI, violatedDirective, blockedURI, sample, disposition });
  });
}

export class Observer {
  arrivals = [];

  #context;

  #violations = [];

  #consoleErrors = [];

  #pageErrors = [];

  #requests = [];

  static async of(context) {
    const observer = new Observer();
    observer.#context = context;
    await context.exposeFunction('stratoraArrival', (url) => {
      if (url !== 'about:blank') observer.arrivals.push(url);
    });
    await context.exposeFunction('stratoraViolation', (violation) => { observer.#violations.push(violation); });
    await context.addInitScript(observe);
    context.on('console', (message) => {
      if (message.type() === 'error') observer.#consoleErrors.push(message.text());
    });
    context.on('weberror', (error) => observer.#pageErrors.push(String(error.error())));
    context.on('request', (request) => observer.#requests.push(describe(request)));
    return observer;
  }

  async report() {
    return {
      arrivals: this.arrivals,
      requests: await Promise.all(this.#requests),
      csp_violations: this.#violations,
      console_errors: this.#consoleErrors,
      page_errors: this.#pageErrors,
      cookies: await this.#context.cookies(),
      storage: await storage(this.#context),
    };
  }
}

async function describe(request) {
  const [url] = request.url().split('#');
  // As they were sent; a request that was cut off may never tell.
  const headers = await within(request.allHeaders(), request.headers());
  const answer = await within(request.response(), null);
  return { method: request.method(), url, referer: headers.referer ?? null, status: answer?.status() ?? null };
}

function within(promise, otherwise) {
  const late = new Promise((resolve) => { setTimeout(resolve, 2_000, otherwise).unref(); });
  return Promise.race([promise.catch(() => otherwise), late]);
}

// By origin, of the pages that are open.
async function storage(context) {
  const kept = {};
  for (const page of context.pages()) {
    const found = await page.evaluate(() => ({
      origin: window.location.origin,
      local: { ...window.localStorage },
      session: { ...window.sessionStorage },
    })).catch(() => null);
    if (found) kept[found.origin] = { local: found.local, session: found.session };
  }
  return kept;
}
