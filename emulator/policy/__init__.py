"""Which class of Cryptographic Module an operation asks for (SEC G2.44 and G2.45).

Pure and table-driven: :mod:`~emulator.policy.question` is what is asked,
:mod:`~emulator.policy.editions` the tables, :func:`decide` the answer,
:mod:`~emulator.policy.diff` what one edition changes against another.
"""

from emulator.policy.decide import Judgement, NoRuleError, decide, judge
from emulator.policy.decision import Decision, ModuleClass
from emulator.policy.editions import BEFORE_LETTER, EDITIONS, LETTER
from emulator.policy.question import Actor, Category, KeyUse, Purpose, Question, key_uses
from emulator.policy.rule import Edition, Rule

__all__ = [
    "BEFORE_LETTER",
    "EDITIONS",
    "LETTER",
    "Actor",
    "Category",
    "Decision",
    "Edition",
    "Judgement",
    "KeyUse",
    "ModuleClass",
    "NoRuleError",
    "Purpose",
    "Question",
    "Rule",
    "decide",
    "judge",
    "key_uses",
]
