// Signing in with a certificate. A UKey's vendor script sets window.guichengSigner before the page is ready:
//   { list(): Promise<[{ id, name, certificate }]>   certificate: DER in base 64
//     sign(id, text): Promise<string> }              the SM2 signature (DER, base 64) over the UTF-8 bytes of text, identifier 1234567812345678
// Without one the page takes a certificate and a signature made elsewhere (python -m engine sign-challenge).
export async function installSigner() {
  const form = document.querySelector("form[data-signer]");
  const signer = window.guichengSigner;
  if (!form || !signer) return;
  const choice = form.querySelector("[data-signer-choice]");
  const select = choice.querySelector("select");
  const keys = await signer.list();
  if (!keys.length) return;
  for (const key of keys) select.add(new Option(key.name, key.id));
  choice.hidden = false;
  form.querySelector("[data-signer-none]").hidden = true;
  for (const name of ["certificate", "signature"]) form.elements[name].required = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.signature.value) return;
    event.preventDefault();
    const key = keys.find((one) => String(one.id) === select.value);
    form.elements.certificate.value = key.certificate;
    form.elements.signature.value = await signer.sign(key.id, form.elements.challenge.value);
    form.requestSubmit();
  });
}
