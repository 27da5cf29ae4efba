// A form that is being filled in: saved as one types, settled by the server, nothing typed is lost.
import { installAutosave } from "./form/autosave.js";
import { installChoices } from "./form/choices.js";
import { installErrors } from "./form/errors.js";
import { installLive } from "./form/live.js";
import { installMoney } from "./form/money.js";
import { installParty } from "./form/party.js";
import { installPlaces } from "./form/places.js";
import { installRows } from "./form/rows.js";
import { installSignatures } from "./form/signature.js";
import { installTexts } from "./form/texts.js";
import { installUploads } from "./form/uploads.js";

const parts = [installErrors, installChoices, installRows, installTexts, installMoney, installParty, installUploads, installSignatures, installPlaces, installLive, installAutosave];

function installAll(root) {
  for (const page of root.querySelectorAll("[data-form-live]")) {
    if (page.dataset.ready) continue;
    page.dataset.ready = "1";
    for (const install of parts) install(page);
  }
}

installAll(document);
document.addEventListener("guicheng:swapped", (event) => installAll(event.detail?.root ?? document));
