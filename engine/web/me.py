"""我的: who I am here, my posts, my password, my frequently used opinions, my open sessions."""
from __future__ import annotations

from flask import Blueprint, g, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import notices, passwords, phrases, second_factor, sessions, sign_in_certificates
from engine.access.actors import LEADER_POSTS
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.queries import me as query
from engine.web import entering
from engine.web.answers import done
from engine.web.context import actor, identifier, now, reading, today, writing
from engine.web.csrf import set_cookie
from engine.web.guard import COOKIE

blueprint = Blueprint("me", __name__)
CHANGED = "您的密码刚刚改过。如果不是您本人改的，请马上联系管理员。"


@blueprint.get("/me")
def page() -> ResponseReturnValue:
    with reading() as connection:
        values = {
            "posts": query.posts(connection, person_id=actor().person_id, on=today()),
            "sessions": sessions.sessions_of(connection, account_id=actor().account_id, at=now()),
            "profile": query.profile(connection, account_id=actor().account_id),
            "second": second_factor.standing(connection, account_id=actor().account_id),
            "certificates": sign_in_certificates.of_account(connection, account_id=actor().account_id),
        }
    return render_template("me/page.html", this_session=g.session_hash, ways=entering.WAYS, leads="admin" in actor().rights or actor().post_code in LEADER_POSTS, **values)


@blueprint.get("/me/posts")
def posts() -> ResponseReturnValue:
    """The list that opens under the unit's name."""
    with reading() as connection:
        return render_template("me/posts.html", posts=query.posts(connection, person_id=actor().person_id, on=today()))


@blueprint.post("/me/post")
def switch_post() -> ResponseReturnValue:
    """Go on in another post under a new cookie; pages that are open elsewhere keep their form token."""
    with writing() as connection:
        token = sessions.switch_post(connection, token_hash=g.session_hash, post_id=identifier(request.form.get("post", ""), "岗位"), at=now())
    answer = make_response(done(url_for("desk.page"), "岗位已切换。"))
    set_cookie(answer, COOKIE, token)
    return answer


@blueprint.get("/me/csrf")
def csrf() -> ResponseReturnValue:
    """The form token of whoever is signed in now, for a page that was open while they signed in again."""
    return jsonify({"csrf": g.csrf, "person": str(actor().person_id)})


@blueprint.get("/me/password")
def password() -> ResponseReturnValue:
    return render_template("me/password.html", errors={}, policy=entering.policy())


@blueprint.post("/me/password")
def change_password() -> ResponseReturnValue:
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    rules = entering.policy()
    try:
        if new != again:
            raise Invalid("两次填的新密码不一样，密码未修改。", fields={"again": "和上面填的新密码不一样，请重填。"})
        with writing() as connection:
            passwords.change_password(connection, account_id=actor().account_id, old=old, new=new, at=now(), policy=rules)
            ended = sessions.close_other_sessions(connection, account_id=actor().account_id, keep=g.session_hash)
            notices.send_notices(connection, at=now(), notices=[notices.NewNotice(person_id=actor().person_id, kind="system", text=CHANGED, link=url_for("me.page"))])
            entering.note(connection, actor=actor(), action="改密码", detail={"ended": ended})
    except Invalid as error:
        return render_template("me/password.html", errors=error.fields, message=error.message, policy=rules), 422
    return done(url_for("desk.page"), f"密码已改。{f'其他 {ended} 处登录已退出。' if ended else ''}")


@blueprint.get("/me/phrases", endpoint="phrases")
def own_phrases() -> ResponseReturnValue:
    with reading() as connection:
        texts = phrases.phrases_of(connection, person_id=actor().person_id)
    return render_template("me/phrases.html", texts="\n".join(texts), errors={})


@blueprint.post("/me/phrases")
def save_phrases() -> ResponseReturnValue:
    text = request.form.get("texts", "")
    try:
        with writing() as connection:
            phrases.save_phrases(connection, person_id=actor().person_id, texts=text.splitlines())
    except Invalid as error:
        return render_template("me/phrases.html", texts=text, errors=error.fields), 422
    return done(url_for("me.phrases"), "常用意见已保存。")


@blueprint.post("/me/sessions/<token_hash>/end")
def end_one(token_hash: str) -> ResponseReturnValue:
    """End one of the reader's own sessions; somebody else's looks like one that is over."""
    try:
        wanted = bytes.fromhex(token_hash)
    except ValueError:
        raise NotFound("这个会话已经结束。") from None
    with writing() as connection:
        sessions.close_listed_session(connection, account_id=actor().account_id, token_hash=wanted)
        entering.note(connection, actor=actor(), action="结束会话")
    return done(url_for("me.page"), "那一处已经退出。")


@blueprint.post("/me/sessions/end")
def end_others() -> ResponseReturnValue:
    with writing() as connection:
        ended = sessions.close_other_sessions(connection, account_id=actor().account_id, keep=g.session_hash)
    return done(url_for("me.page"), f"其他 {ended} 处登录已退出。" if ended else "没有其他登录。")
