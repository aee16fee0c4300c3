"""The pages of chats. Each works as plain HTML; script asks the same addresses for JSON or fragments."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.chat import rules, service, words
from webapp.chat.models import Conversation, Message
from webapp.chat.service.threads import Turn
from webapp.errors import AppError
from webapp.llm import service as llm
from webapp.llm.rules import ModelInfo
from webapp.web.limits import limit
from webapp.web.problems import envelope
from webapp.web.requests import current_request_id, wants_page

blueprint = Blueprint("chat", __name__, template_folder="templates")


@blueprint.get("/chat")
def index() -> ResponseReturnValue:
    """Show an empty page with the composer."""
    return render_template(
        "chat/empty.html", greeting=words.greeting(current_user.display_name), **_composer()
    )


@blueprint.get("/chat/<conversation_id>")
def conversation(conversation_id: str) -> ResponseReturnValue:
    """Show a conversation: its last turns, or those before the message named."""
    return _conversation_page(service.get_conversation(current_user, conversation_id))


@blueprint.get("/chat/conversations")
def conversations() -> ResponseReturnValue:
    """Send a page of the list, as a fragment for script and as a page without."""
    template = (
        "chat/conversations.html" if wants_page() and "fragment" not in request.args else "chat/_list.html"
    )
    return render_template(template, **_list(request.args.get("after")))


@blueprint.get("/chat/search")
@limit("chat_search")
def search() -> ResponseReturnValue:
    """Show the conversations in which something was said."""
    text = request.args.get("q", "")[: rules.SEARCH_MAX_LENGTH].strip()
    hits, more = service.search(current_user, text)
    found = service.search_words(text)
    return render_template(
        "chat/search.html",
        text=text,
        hits=hits,
        more=more,
        limits=rules,
        marked=lambda shown: words.marked(shown, found),
    )


@blueprint.post("/chat/messages")
@limit("chat_send")
def send() -> ResponseReturnValue:
    """Store a question and begin its answer."""
    chosen = request.form.get("conversation") or None
    try:
        sent = service.send_message(
            current_user,
            text=request.form.get("text", ""),
            model=request.form.get("model"),
            thinking=request.form.get("thinking") == "1",
            client_request_id=request.form.get("client_request_id") or None,
            conversation_id=chosen,
            request_id=current_request_id(),
        )
    except AppError as error:
        return _refused(error, chosen)
    return _turn_answer(sent.conversation, sent.question, sent.answer)


@blueprint.get("/chat/answers/<answer_id>")
def answer(answer_id: str) -> ResponseReturnValue:
    """Send an answer as a fragment."""
    view = service.answer_view(current_user, answer_id)
    return render_template(
        "chat/_answer.html", answer=view, **_answer_context(last=service.is_last(view.message))
    )


@blueprint.get("/chat/answers/<answer_id>/source")
def source(answer_id: str) -> ResponseReturnValue:
    """Send the Markdown of an answer, to be copied."""
    return Response(service.answer_view(current_user, answer_id).message.text, mimetype="text/plain")


@blueprint.post("/chat/answers/<answer_id>/stop")
def stop(answer_id: str) -> ResponseReturnValue:
    """End an answer that is being written."""
    service.stop_answer(current_user, answer_id)
    if wants_page():
        return _back_to(service.answer_view(current_user, answer_id).message)
    return envelope({"answer": answer_id})


@blueprint.post("/chat/answers/<answer_id>/regenerate")
@limit("chat_send")
def regenerate(answer_id: str) -> ResponseReturnValue:
    """Answer the last question once more, perhaps by another model."""
    model = request.form.get("model") or None
    message = service.regenerate(current_user, answer_id, model=model, request_id=current_request_id())
    return _back_to(message) if wants_page() else _answer_fragment(message)


@blueprint.post("/chat/answers/<answer_id>/continue")
@limit("chat_send")
def continue_answer(answer_id: str) -> ResponseReturnValue:
    """Go on with the last answer where it stopped."""
    message = service.continue_answer(current_user, answer_id, request_id=current_request_id())
    return _back_to(message) if wants_page() else _answer_fragment(message)


@blueprint.route("/chat/messages/<message_id>/edit", methods=["GET", "POST"])
@limit("chat_send")
def edit(message_id: str) -> ResponseReturnValue:
    """Put another text in the place of the last question."""
    message = service.get_message(current_user, message_id, role="user")
    text, problem = message.text, None
    if request.method == "POST":
        try:
            text = request.form.get("text", "")
            sent = service.edit_question(
                current_user,
                message_id,
                text=text,
                client_request_id=request.form.get("client_request_id") or None,
                request_id=current_request_id(),
                model=request.form.get("model") or None,
            )
            return _turn_answer(sent.conversation, sent.question, sent.answer)
        except AppError as error:
            if not wants_page():
                raise
            problem = error
    back = url_for("chat.conversation", conversation_id=service.conversation_of(message).public_id)
    page = render_template(
        "chat/edit.html", message=message, text=text, problem=problem, back=back, limits=rules
    )
    return page, problem.status if problem else 200


@blueprint.route("/chat/<conversation_id>/rename", methods=["GET", "POST"])
def rename(conversation_id: str) -> ResponseReturnValue:
    """Give a conversation another title."""
    found = service.get_conversation(current_user, conversation_id)
    title, problem = found.title, None
    if request.method == "POST":
        try:
            title = request.form.get("title", "")
            found = service.rename(current_user, conversation_id, title)
            return _to(found) if wants_page() else envelope({"title": found.title})
        except AppError as error:
            if not wants_page():
                raise
            problem = error
    page = render_template(
        "chat/rename.html", conversation=found, new_title=title, problem=problem, limits=rules
    )
    return page, problem.status if problem else 200


@blueprint.post("/chat/<conversation_id>/delete")
def delete(conversation_id: str) -> ResponseReturnValue:
    """Delete a conversation; the next page offers to take it back."""
    service.delete(current_user, conversation_id)
    undo = url_for("chat.restore", conversation_id=conversation_id)
    flash({"text": _("Chat deleted."), "undo": undo}, "undo")  # type: ignore[arg-type]
    return redirect(url_for("chat.index"), 303)


@blueprint.post("/chat/<conversation_id>/restore")
def restore(conversation_id: str) -> ResponseReturnValue:
    """Take a deleted conversation back."""
    return _to(service.restore(current_user, conversation_id))


@blueprint.app_context_processor
def _for_the_sidebar() -> dict[str, Any]:
    return {"chat_list": _list}


def _list(after: str | None = None) -> dict[str, Any]:
    page = service.conversations(current_user, after)
    return {
        "groups": words.group_by_day(page.items),
        "next_cursor": page.next_cursor,
        "live_ids": service.live_conversation_ids(current_user),
        "here": (request.view_args or {}).get("conversation_id"),
    }


def _conversation_page(
    found: Conversation, *, draft: str = "", problem: AppError | None = None
) -> ResponseReturnValue:
    shown = service.thread(found, request.args.get("before"))
    live = [turn.answer for turn in shown.turns if turn.answer and turn.answer.state.live]
    page = render_template(
        "chat/conversation.html",
        conversation=found,
        thread=shown,
        live=live,
        newest=not request.args.get("before"),
        **(_composer(draft, problem, _last_model(shown.turns)) | _answer_context(last=False)),
    )
    return page, problem.status if problem else 200


def _composer(draft: str = "", problem: AppError | None = None, model: str = "") -> dict[str, Any]:
    models = _models()
    default = llm.default_model()
    names = {each.name for each in models}
    chosen = model if model in names else (default.name if default else "")
    return {"models": models, "chosen": chosen, "draft": draft, "problem": problem, "limits": rules}


def _answer_context(*, last: bool) -> dict[str, Any]:
    return {
        "ending_words": words.ending_words,
        "seconds_since": words.seconds_since,
        "models": _models(),
        "last": last,
    }


def _models() -> list[ModelInfo]:
    return [each for each in llm.models() if each.available]


def _last_model(turns: list[Turn]) -> str:
    return turns[-1].answer.model if turns and turns[-1].answer else ""


def _turn_answer(found: Conversation, question: Message, stored: Message) -> ResponseReturnValue:
    if wants_page():
        return _to(found, stored.public_id)
    view = service.answer_view(current_user, stored.public_id)
    turn = render_template("chat/_turn.html", turn=Turn(question, view), **_answer_context(last=True))
    return envelope(
        {
            "conversation": found.public_id,
            "url": url_for("chat.conversation", conversation_id=found.public_id),
            "title": found.title,
            "turn_html": turn,
            "question": question.public_id,
            "answer": stored.public_id,
            "events_url": url_for("chat_stream.events", answer_id=stored.public_id),
        }
    )


def _answer_fragment(message: Message) -> Response:
    view = service.answer_view(current_user, message.public_id)
    html = render_template("chat/_answer.html", answer=view, **_answer_context(last=True))
    return envelope({"answer": message.public_id, "answer_html": html})


def _refused(error: AppError, conversation_id: str | None) -> ResponseReturnValue:
    """Show a refusal with what was typed still in the composer."""
    if not wants_page():
        raise error
    draft = request.form.get("text", "")
    if conversation_id:
        found = service.get_conversation(current_user, conversation_id)
        return _conversation_page(found, draft=draft, problem=error)
    greeting = words.greeting(current_user.display_name)
    return render_template("chat/empty.html", greeting=greeting, **_composer(draft, error)), error.status


def _back_to(message: Message) -> ResponseReturnValue:
    return _to(service.conversation_of(message), message.public_id)


def _to(found: Conversation, anchor: str | None = None) -> ResponseReturnValue:
    target = url_for("chat.conversation", conversation_id=found.public_id, _anchor=anchor and f"a-{anchor}")
    return redirect(target, 303)
