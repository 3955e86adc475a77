// The product's API, called from within its page: with the cookies that the browser has for it, and by its rules.

export function callMe(page, token) {
  return page.evaluate(async (bearer) => {
    const answer = await fetch('/api/v1/auth/me', { headers: { authorization: `Bearer ${bearer}` } });
    const text = await answer.text();
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // Not every answer is JSON; then the text is all there is.
    }
    return { status: answer.status, body, text };
  }, token);
}
