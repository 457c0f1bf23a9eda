// Links for others: to what is seen now, and to follow what is seen here from now on.

const element = (id) => /** @type {any} */ (document.getElementById(id));

export class ClusterSharing {
  /** @param {{ source: any, playhead: import("./playhead.js").Playhead, query: (more: object) => string }} acts */
  constructor({ source, playhead, query }) {
    this._source = source;
    this._playhead = playhead;
    this._query = query;
    this._wanted = false;
    element("share-follow").addEventListener("click", () => this._offer());
    source.client.addEventListener("message", ({ data }) => data.type === "playback" && this._wanted && this._show());
    for (const id of ["share-link", "share-following"]) element(`${id}-copy`).addEventListener("click", () => this._copy(id));
  }

  open() {
    this._show();
    element("share-dialog").showModal();
    element("share-link").select();
  }

  /** To be followed one has to be on a timeline of one's own: the page stands still where it is. */
  _offer() {
    this._wanted = true;
    if (this._playhead.place.present) this._source.playback("pause");
    this._show();
  }

  _show() {
    const { present, playing, speed } = this._playhead.place;
    const address = (query) => new URL(query || location.pathname, location.href).href;
    const at = present || !Number.isFinite(this._playhead.time) ? {} : { at: new Date(this._playhead.time).toISOString(), ...(playing ? { speed: String(speed) } : {}) };
    element("share-link").value = address(this._query(at));
    const id = this._source.client.state.playback?.id;
    const may = this._source.shared;
    element("share-follow-part").hidden = !may;
    element("share-following-part").hidden = typeof id !== "string" || !may;
    element("share-follow").hidden = typeof id === "string";
    if (typeof id === "string") element("share-following").value = address(this._query({ follow: id }));
    put(element("share-note"), typeof id === "string" ? "Whoever opens it sees what you see, as long as this page is open." : "This page stops at this moment first, since in the present everyone sees the same already.");
  }

  async _copy(id) {
    const field = element(id);
    field.select();
    const done = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    put(element("share-done"), done ? "Copied." : "Selected: copy it with the keys of your system.");
  }
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
