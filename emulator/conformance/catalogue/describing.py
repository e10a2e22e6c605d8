"""A check as JSON, and as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.conformance.catalogue.check import Answer, Check, Origin, Step
from emulator.conformance.catalogue.words import Words


def to_json(check: Check) -> dict[str, object]:
    return {
        "id": check.id,
        "aliases": list(check.aliases),
        "group": check.group,
        "title": check.title,
        "origin": check.origin.value,
        "evidence": {
            "purpose": list(check.evidence.purpose),
            "steps": list(check.evidence.steps),
            "clause": list(check.evidence.clause),
        },
        "clause": check.clause,
        "rules": list(check.rules),
        "applies": str(check.applies),
        "start": check.start,
        "severity": check.severity.value,
        "corresponds": list(check.corresponds),
        "steps": [_step_json(one) for one in check.steps],
    }


def _step_json(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "subtest": step.subtest or None,
        "sends": step.sends,
        "answers": [_answer_json(one) for one in step.answers],
    }


def _answer_json(answer: Answer) -> dict[str, object]:
    return {
        "name": answer.name,
        "says": answer.says,
        "detail": answer.detail or None,
        "verdict": _verdict(answer),
        "reason": answer.reason or None,
    }


def _verdict(answer: Answer) -> str:
    return "STRICT" if answer.strict else "NON_STRICT"


def facts(check: Check, words: Words) -> Iterator[tuple[str, str]]:
    """What a check is, but for its steps: a name and a text for each thing."""
    group = words.groups[check.group]
    yield "title", check.title
    yield "group", f"{group.name}: {group.title}"
    yield "origin", origin_of(check, words)
    if check.aliases:
        yield "also called", ", ".join(check.aliases)
    yield "clause", check.clause
    yield "severity", f"{check.severity.value} (our judgement)"
    yield "applies to", str(check.applies)
    for name in dict.fromkeys(word.feature for word in check.applies.words):
        yield "", f"{name}: {words.features[name].says}"
    evidence = check.evidence
    parts = (("purpose", evidence.purpose), ("steps", evidence.steps), ("clause", evidence.clause))
    for name, labels in parts:
        for label in labels:
            yield f"{name} from", f"{label}: {words.evidence[label]}"
    if check.rules:
        yield "rules", ", ".join(check.rules)
    yield "starts from", f"{check.start}: {words.starts[check.start]}"


def origin_of(check: Check, words: Words) -> str:
    """Where a check comes from, so that nobody takes it for more than it is."""
    document = words.groups[check.group].document
    match check.origin:
        case Origin.OFFICIAL_ID:
            return f"official id, of {document}"
        case Origin.PROCEDURE:
            return f"official procedure, the name is ours, of {document}"
        case Origin.DERIVED:
            tests = ", ".join(check.corresponds)
            return (
                f"derived, no official test; near {tests}" if tests else "derived, no official test"
            )


def steps_of(check: Check) -> Iterator[str]:
    """The steps, a line for each thing that is done and each answer that is accepted."""
    if not check.steps:
        yield "Which steps it has is not known."
        return
    for number, step in enumerate(check.steps, 1):
        subtest = f" (subtest {step.subtest})" if step.subtest else ""
        yield f"{number}. {step.name}{subtest}: {step.sends}"
        for answer in step.answers:
            detail = f" ({answer.detail})" if answer.detail else ""
            reason = f", because {answer.reason}" if answer.reason else ""
            yield f"   {_verdict(answer)}  {answer.name}{detail}: {answer.says}{reason}"
