"""Answers and reachability over time: what moves, before it breaks."""

from arcferry.watch.history import History, history_path
from arcferry.watch.judge import Level, Notice, Standing, judge, standing_of
from arcferry.watch.round import Round, take_round
from arcferry.watch.spans import AnswerSpan, ReachSpan, Record
from arcferry.watch.watcher import watch

__all__ = [
    "AnswerSpan",
    "History",
    "Level",
    "Notice",
    "ReachSpan",
    "Record",
    "Round",
    "Standing",
    "history_path",
    "judge",
    "standing_of",
    "take_round",
    "watch",
]
