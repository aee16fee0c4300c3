// Which answers are being written on this page; the composer shows Stop while there are any.

const articles = new Set();
const watchers = new Set();

export const running = {
  add: (article) => change(() => articles.add(article)),
  delete: (article) => change(() => articles.delete(article)),
  get last() {
    return [...articles].at(-1);
  },
  watch: (act) => {
    watchers.add(act);
    act();
  },
};

function change(act) {
  act();
  for (const watcher of watchers) watcher();
}
