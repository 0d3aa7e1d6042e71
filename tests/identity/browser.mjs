// A browser without a screen: it keeps cookies, follows redirects, presses buttons. It runs no script, and the gate's pages
// have none.
const entities = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>' };
const plain = (text) => text.replace(/&(amp|quot|#39|lt|gt);/g, (entity) => entities[entity]);
const attribute = (tag, name) => {
  const found = tag.match(new RegExp(`\\b${name}="([^"]*)"`));
  return found ? plain(found[1]) : undefined;
};

export class Browser {
  #cookies = new Map();

  /// Goes somewhere; stops before it would leave for a place that starts with `until`.
  async go(url, until, { method = 'GET', form } = {}) {
    for (let hops = 0; hops < 20; hops += 1) {
      if (until && url.startsWith(until)) return { url, text: '' };
      const { origin, host } = new URL(url);
      const jar = this.#cookies.get(host) ?? new Map();
      const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
      if (method === 'POST') Object.assign(headers, { origin, 'content-type': 'application/x-www-form-urlencoded' });
      const body = form && new URLSearchParams(form).toString();
      const response = await fetch(url, { method, headers, body, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = line.split(';')[0].split(/=(.*)/s);
        if (value) jar.set(name, value);
        else jar.delete(name);
      }
      this.#cookies.set(host, jar);
      const target = response.headers.get('location');
      if (!target) return { url, status: response.status, headers: response.headers, text: await response.text() };
      [url, method, form] = [new URL(target, url).href, 'GET', undefined];
    }
    throw new Error(`${url} leads nowhere`);
  }

  /// Fills in the page's form and presses a button.
  async send(page, filled, until) {
    const tag = page.text.match(/<form[^>]*>/)?.[0];
    if (!tag) throw new Error(`no form at ${page.url} (${page.status}):\n${page.text.slice(0, 2000)}`);
    const form = {};
    for (const [input] of page.text.matchAll(/<input[^>]*>/g)) {
      const name = attribute(input, 'name');
      if (name) form[name] = attribute(input, 'value') ?? '';
    }
    const action = new URL(attribute(tag, 'action') ?? '', page.url).href;
    return this.go(action, until, { method: 'POST', form: { ...form, ...filled } });
  }

  /// Follows the page's own link onwards.
  async onward(page, until) {
    const link = page.text.match(/<a class="yes"[^>]*>/)?.[0];
    if (!link) throw new Error(`no way on at ${page.url} (${page.status}):\n${page.text.slice(0, 2000)}`);
    return this.go(attribute(link, 'href'), until);
  }

  /// Says yes at the gate, and signs in at the provider by that name where it asks.
  async signsIn(url, name, until) {
    let page = await this.go(url);
    page = await this.send(page, { answer: 'allow' });
    return this.atProvider(await this.onward(page, until), name, until);
  }

  /// Answers what the provider asks.
  async atProvider(page, name, until) {
    while (page.text.includes('name="prompt"')) {
      const filled = { login: name, password: 'any' };
      page = await this.send(page, filled, until);
    }
    return page;
  }
}
