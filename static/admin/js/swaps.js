// A button whose part of the page cannot be fetched is sent as a plain form, so that the browser shows what happened.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  addEventListener(failure, ({ detail }) => detail.elt.submit?.());
}
