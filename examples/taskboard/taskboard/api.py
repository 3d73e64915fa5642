"""The HTTP API of one agent."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Flask, Response, jsonify, request

from taskboard.board import Board, NotFound
from taskboard.search import Search
from taskboard.task import Conflict, Invalid, Task

MAXIMUM_BODY_BYTES = 16 * 1024

Answer = tuple[Response, int]


def create_app(board: Board, search: Search) -> Flask:
    """Return the application that serves ``board``."""
    app = Flask("taskboard")
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY_BYTES
    app.register_blueprint(_tasks(board, search))
    app.register_error_handler(NotFound, lambda error: _problem(404, error))
    app.register_error_handler(Conflict, lambda error: _problem(409, error))
    app.register_error_handler(Invalid, lambda error: _problem(400, error))
    return app


def _tasks(board: Board, search: Search) -> Blueprint:
    routes = Blueprint("tasks", __name__)

    @routes.post("/tasks")
    def create() -> Answer:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise Invalid("expected a JSON object with a title")
        return _answer(board.create(body.get("title")), 201)

    @routes.get("/tasks/<uuid:task_id>")
    def find(task_id: UUID) -> Answer:
        return _answer(board.find(task_id))

    @routes.post("/tasks/<uuid:task_id>/handover")
    def hand_over(task_id: UUID) -> Answer:
        return _answer(board.hand_over(task_id))

    @routes.post("/tasks/<uuid:task_id>/complete")
    def complete(task_id: UUID) -> Answer:
        return _answer(board.complete(task_id))

    @routes.get("/search")
    def find_by_words() -> Response:
        words = request.args.get("q", "").strip()
        if not words:
            raise Invalid("q: expected one or more words")
        return jsonify(tasks=[task.to_record() for task in search.find(words)])

    @routes.get("/board")
    def overview() -> Response:
        counts, newest = board.overview()
        return jsonify(
            agent=board.agent, counts=counts, newest=[task.to_record() for task in newest]
        )

    return routes


def _answer(task: Task, status: int = 200) -> Answer:
    return jsonify(task.to_record()), status


def _problem(status: int, error: Exception) -> Answer:
    return jsonify(error=str(error.args[0])), status
