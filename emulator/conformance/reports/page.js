(() => {
  "use strict";
  const form = document.getElementById("filter");
  const text = document.getElementById("filter-text");
  const verdict = document.getElementById("filter-verdict");
  const group = document.getElementById("filter-group");
  const count = document.getElementById("filter-count");
  const cases = [...document.querySelectorAll(".case")].map((one) => ({
    element: one,
    verdict: one.dataset.verdict,
    words: one.querySelector("summary").textContent.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll(".group")];

  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const one of cases) {
      const inGroup = !group.value || one.element.parentElement.dataset.group === group.value;
      const fits = (!verdict.value || one.verdict === verdict.value) && one.words.includes(wanted);
      one.element.hidden = !(inGroup && fits);
      shown += one.element.hidden ? 0 : 1;
    }
    for (const one of groups) {
      one.hidden = !one.querySelector(".case:not([hidden])");
    }
    count.value = `${shown} of ${cases.length} cases`;
  };

  const open = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) {
      return;
    }
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    for (let one = target; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") {
        one.open = true;
      }
    }
    target.scrollIntoView();
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-show-group]");
    if (link) {
      text.value = "";
      group.value = link.dataset.showGroup;
      verdict.value = link.dataset.showVerdict;
      apply();
    }
  });
  addEventListener("hashchange", open);
  form.hidden = false;
  apply();
  open();
})();
