// The login page: show the password, fill in a demo account.
export function installLogin() {
  document.addEventListener("click", (event) => {
    const eye = event.target.closest("[data-reveal]");
    if (eye) {
      const field = document.getElementById(eye.dataset.reveal);
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      eye.setAttribute("aria-pressed", !shown);
      eye.setAttribute("aria-label", shown ? "显示密码" : "隐藏密码");
    }
    const demo = event.target.closest("[data-fill-login]");
    if (demo) {
      document.getElementById("u").value = demo.dataset.fillLogin;
      const password = document.getElementById("p");
      if (demo.dataset.fillPassword) password.value = demo.dataset.fillPassword;
      password.focus();
    }
  });
}
