// sqladmin says what will be deleted only when the window has faded in. Whoever clicks before that
// would delete what the window was opened for the last time, or nothing, with an error.
(() => {
  const $ = window.jQuery;
  const button = $("#modal-delete-button");
  const chosen = $("#action-delete");

  $(document).on("show.bs.modal", "#modal-delete", () => {
    button.prop("disabled", true).removeAttr("data-url");
    $("#modal-delete-text").text("");
  });
  $(document).on("shown.bs.modal", "#modal-delete", (event) => {
    const several = event.relatedTarget === chosen[0];
    // They stand there as they go into an address, which encodes them twice.
    const keys = several
      ? chosen.data("pk").map((one) => decodeURIComponent(decodeURIComponent(one)))
      : [];
    if (several)
      $("#modal-delete-text").text(
        keys.length
          ? `This will permanently delete ${chosen.data("name")} ${keys.join(", ")}?`
          : "No row is chosen.",
      );
    button.prop("disabled", several && !keys.length);
  });
  // A second click must not ask for what the first one is deleting.
  button.on("click", () => setTimeout(() => button.prop("disabled", true)));
  // It appends the chosen rows to those that were chosen when the window was closed again.
  $(document).on("hidden.bs.modal", "#modal-delete", () =>
    chosen.data("url", chosen.attr("data-url")),
  );
})();
