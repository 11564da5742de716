"""Answers and reachability over time: what moves, before it breaks."""

from arcferry.watch.changes import AnswerRegion, Level, Notice, Round, changes, region_of_answer, take_round
from arcferry.watch.history import AnswerSpan, History, ReachSpan, Record, history_path
from arcferry.watch.watcher import watch

__all__ = [
    "AnswerRegion",
    "AnswerSpan",
    "History",
    "Level",
    "Notice",
    "ReachSpan",
    "Record",
    "Round",
    "changes",
    "history_path",
    "region_of_answer",
    "take_round",
    "watch",
]
