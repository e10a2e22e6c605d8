"""Whether a value has the shape its class gives it, and if not, where."""

from __future__ import annotations

from dlms.axdr.data import CompactArray, Data, DataType
from dlms.cosem.shape import ANY, Anything, ArrayOf, Choice, Shape, Simple, types_of


def fits(shape: Shape, value: Data | None) -> bool:
    """Whether ``value`` has ``shape``, down to its last element. ``None`` never fits."""
    return misfit(shape, value) is None


def misfit(shape: Shape, value: Data | None, path: str = "") -> str | None:
    """``None`` if ``value`` has ``shape``, else where it has not, and why.

    The path is that of the first element that misfits, as in ``[2].scaler_unit.unit: is enum,
    not unsigned``. Each element is looked at once for each shape it may have, no deeper than the
    shape is: the work is bounded by the size of the value.
    """
    if value is None:
        return _at(path, "a value is needed")
    if isinstance(shape, Anything):
        if value.type in shape.excluded:
            return _at(path, f"may not be {value.type.label}")
        return None
    if isinstance(shape, Choice):
        return _misfit_choice(shape, value, path)
    wanted = types_of(shape)
    if value.type not in wanted:
        return _at(path, f"is {' or '.join(kind.label for kind in wanted)}, not {value.type.label}")
    if isinstance(shape, Simple):
        return _misfit_size(shape, value, path)
    elements = elements_of(value)
    if elements is None:
        return _at(path, f"{value.type.label} without elements")
    if isinstance(shape, ArrayOf):
        for number, element in enumerate(elements):
            problem = misfit(shape.element, element, f"{path}[{number}]")
            if problem is not None:
                return problem
        return None
    if len(elements) != len(shape.fields):
        return _at(path, f"{len(shape.fields)} fields needed, not {len(elements)}")
    for field, element in zip(shape.fields, elements, strict=True):
        problem = misfit(field.shape, element, f"{path}.{field.name}" if path else field.name)
        if problem is not None:
            return problem
    return None


def _misfit_choice(shape: Choice, value: Data, path: str) -> str | None:
    """The shapes whose top fits are tried; the complaint of the last of them says the most."""
    problem = None
    for one in shape.shapes:
        possible = types_of(one)
        if possible and value.type not in possible:
            continue
        problem = misfit(one, value, path)
        if problem is None:
            return None
    if problem is not None:
        return problem
    wanted = " or ".join(kind.label for kind in types_of(shape))
    return _at(path, f"is {wanted}, not {value.type.label}")


def _misfit_size(shape: Simple, value: Data, path: str) -> str | None:
    content = value.value
    if not shape.sizes or not isinstance(content, bytes | str) or len(content) in shape.sizes:
        return None
    unit = "bits" if value.type is DataType.BIT_STRING else "octets"
    sizes = " or ".join(map(str, shape.sizes))
    return _at(path, f"{sizes} {unit} needed, not {len(content)}")


def elements_of(value: Data) -> tuple[Data, ...] | None:
    """The elements of an array, a structure or a compact-array; ``None`` if it has none."""
    content = value.value
    if isinstance(content, CompactArray):
        return content.elements
    return content if isinstance(content, tuple) else None


def shape_within(shape: Shape, index: int) -> Shape:
    """The shape of element ``index``, counted from 1; 0 is the whole (Blue Book: data_index).

    :data:`ANY` where the shape does not say.
    """
    if index == 0:
        return shape
    if isinstance(shape, ArrayOf):
        return shape.element
    fields = () if isinstance(shape, Simple | Choice | Anything) else shape.fields
    return fields[index - 1].shape if index <= len(fields) else ANY


def _at(path: str, problem: str) -> str:
    return f"{path}: {problem}" if path else problem
