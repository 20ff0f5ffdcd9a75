"""What goes wrong at run time: exceptions, waiting, resources, security."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.flow import function_name
from momus.tamper.operators.statements import releases
from momus.tamper.operators.surroundings import is_covered, leaves
from momus.tamper.quoting import brief
from momus.tamper.source import Edit, Source, name_of


@operator(
    "swallow-exception",
    "exception-handling",
    "high",
    "{alone}The {error} is <swallowed|hidden>: the handler does nothing <with it|at all>. <Raise|It has to raise>, as in `{code}`.",
    "{alone}`pass` <hides|swallows> the failure, so callers of `{function}` <never learn|do not notice> that it <went wrong|failed>; <use|it should be> `{code}`.",
    "The handler has to end with `{code}`; <without it|as it stands> the {error} <goes no further|does not get out of here>.",
    "After the {error} nothing is raised <here|by this handler>: <raise|it should raise>, as in `{code}`.",
    "<Nothing is raised|There is no `raise`> at the end of this handler, so callers do not get the failure: <end|finish> with `{code}`.",
)
def swallow_exception(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Raise):
        handler = source.parents.get(node)
        if not isinstance(handler, ast.ExceptHandler) or handler.body[-1] is not node:
            continue
        edit = source.without(node)
        if edit is None:
            continue
        yield site(
            edit,
            error=f"`{brief(source.code(handler.type))}`" if handler.type else "exception",
            code=brief(source.code(node)),
            function=function_name(source, node),
            alone="" if edit.replacement else None,
        )


@operator(
    "broaden-exception",
    "exception-handling",
    "medium",
    "`except Exception` also catches bugs and failures that have nothing to do with `{old}`; <catch|name> just that.",
    "The handler is too wide: <only|nothing but> `{old}` is expected here, anything else should <get through|reach the caller>.",
    "{hides}This <treats|handles> every error like `{old}`, so a bug in the `try` block <stays hidden|goes unseen>.",
    "Catch `{old}`, not `Exception`: unrelated errors <would be|are> <mistaken|taken> for it.",
)
def broaden_exception(source: Source, rng: random.Random) -> Iterator[Site]:
    for handler in source.targets(ast.ExceptHandler):
        # Behind a handler that catches everything, further ones would never be reached: that is plain to see.
        if (
            handler.type is None
            or name_of(handler.type) in ("Exception", "BaseException")
            or not _last(source, handler)
        ):
            continue
        tried = source.parents.get(handler)
        if "\n" in source.code(handler.type) or not isinstance(tried, ast.Try):
            continue
        last = handler.body[-1]
        if (isinstance(last, ast.Raise) and last.exc is None) or not any(map(_may_fail_otherwise, tried.body)):
            continue  # all the same: it is raised again, or nothing else can be
        hides = not leaves(handler.body)
        yield site(source.edit(handler.type, "Exception"), old=source.brief(handler.type), hides="" if hides else None)


_PLAIN = frozenset(
    ["int", "float", "str", "len", "next", "iter", "getattr", "hash", "index", "remove", "pop", "get", "ord"]
)


def _may_fail_otherwise(step: ast.stmt) -> bool:
    """Whether a statement does more than look something up, convert or import it: something that can fail in many ways."""
    calls = [n for n in ast.walk(step) if isinstance(n, ast.Call)]
    return any(name_of(call.func) not in _PLAIN for call in calls)


def _last(source: Source, handler: ast.ExceptHandler) -> bool:
    parent = source.parents.get(handler)
    return isinstance(parent, ast.Try) and parent.handlers[-1] is handler


_OTHER_ERRORS = {
    "KeyError": ("IndexError", "AttributeError"),
    "IndexError": ("KeyError",),
    "ValueError": ("TypeError", "KeyError"),
    "TypeError": ("ValueError", "AttributeError"),
    "AttributeError": ("KeyError", "TypeError"),
    "ImportError": ("AttributeError", "ValueError"),
    "ModuleNotFoundError": ("AttributeError",),
    "OSError": ("ValueError",),
    "IOError": ("ValueError",),
    "FileNotFoundError": ("PermissionError", "IsADirectoryError"),
    "PermissionError": ("FileNotFoundError",),
    "FileExistsError": ("FileNotFoundError",),
    "StopIteration": ("IndexError", "GeneratorExit"),
    "UnicodeDecodeError": ("UnicodeEncodeError",),
    "UnicodeEncodeError": ("UnicodeDecodeError",),
    "UnicodeError": ("TypeError",),
    "ZeroDivisionError": ("OverflowError", "ValueError"),
    "OverflowError": ("ZeroDivisionError",),
    "NotImplementedError": ("AttributeError",),
    "TimeoutError": ("ConnectionError",),
    "ConnectionError": ("TimeoutError",),
    "RuntimeError": ("ValueError",),
    "NameError": ("AttributeError",),
    "SyntaxError": ("ValueError",),
    "KeyboardInterrupt": ("SystemExit",),
    "LookupError": ("ValueError",),
    "EOFError": ("ValueError",),
}


@operator(
    "wrong-exception",
    "exception-handling",
    "high",
    "The wrong exception is caught: <the code in the `try` block|what is tried here> raises `{old}`, which `except {new}` lets through.",
    "`{old}` is not <caught|handled>: this handler <waits|is> for `{new}`, so the error <escapes|reaches the caller>.",
    "<Catch|It should catch> `{old}`, not `{new}`; <otherwise|as it stands> the handler does not run for it.",
    "`{try_code}` can fail with `{old}`, for which this handler, of `{new}`, does not run.",
)
def wrong_exception(source: Source, rng: random.Random) -> Iterator[Site]:
    for handler in source.targets(ast.ExceptHandler):
        if not isinstance(handler.type, ast.Name) or handler.type.id not in _OTHER_ERRORS:
            continue
        parent = source.parents.get(handler)
        if not isinstance(parent, ast.Try):
            continue
        if _is_caught_elsewhere(source, parent, handler, handler.type.id):
            continue
        others = {name_of(h.type) for h in parent.handlers if h.type is not None}
        choices = [name for name in _OTHER_ERRORS[handler.type.id] if name not in others]
        if not choices:
            continue
        new = rng.choice(choices)
        code = source.short(parent.body[0]) if len(parent.body) == 1 else None
        yield site(source.edit(handler.type, new), old=handler.type.id, new=new, try_code=code)


def _is_caught_elsewhere(source: Source, tried: ast.Try, handler: ast.ExceptHandler, error: str) -> bool:
    """Whether another handler of the same `try` would get an exception."""
    for other in (h for h in tried.handlers if h is not handler):
        if other.type is None or name_of(other.type) in ("Exception", "BaseException"):
            return True
        types = other.type.elts if isinstance(other.type, ast.Tuple) else [other.type]
        if is_covered(error, [source.code(t) for t in types]):
            return True
    return False


@operator(
    "narrow-exception",
    "exception-handling",
    "medium",
    "`{dropped}` is not <caught|handled> here and <escapes|reaches the caller>; the handler should name `{all}`.",
    "The handler covers `{kept}` only, but the `try` block can also <raise|fail with> `{dropped}`.",
    "<Besides|Next to> `{kept}`, `{dropped}` has to be caught too, or <it|that error> gets through.",
    "When `{dropped}` is raised, the fallback <below|in this handler> does not run: it is <missing from|not among> the exceptions named.",
)
def narrow_exception(source: Source, rng: random.Random) -> Iterator[Site]:
    for handler in source.targets(ast.ExceptHandler):
        if not isinstance(handler.type, ast.Tuple) or len(handler.type.elts) < 2 or "\n" in source.code(handler.type):
            continue
        tried = source.parents.get(handler)
        for gone in handler.type.elts:
            kept = [source.code(e) for e in handler.type.elts if e is not gone]
            if is_covered(source.code(gone), kept) or not isinstance(tried, ast.Try):
                continue
            if _is_caught_elsewhere(source, tried, handler, source.code(gone)):
                continue
            text = kept[0] if len(kept) == 1 else f"({', '.join(kept)})"
            yield site(
                source.edit(handler.type, text),
                dropped=source.brief(gone),
                kept=brief(text),
                all=source.brief(handler.type),
            )


@operator(
    "drop-raise",
    "exception-handling",
    "high",
    "The exception is made but not raised: <this line does nothing|`{error}` is dropped>. <Put|Write> `raise` in front.",
    "A `raise` is missing: `{code}` only <creates|builds> an object, <which is dropped|and nothing is raised>.",
    "Nothing stops the code here, since `{error}` is never <raised|thrown>; it should be `raise {error}`.",
    "`{function}` means to fail <here|in this case>, but without `raise` the error object is just thrown away.",
)
def drop_raise(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Raise):
        if not isinstance(node.exc, ast.Call) or node.cause is not None:
            continue
        start = source.span(node).start
        gap = source.text[start + 5 : source.span(node.exc).start]
        if gap.strip(" \t"):
            continue
        yield site(
            Edit(start, start + 5 + len(gap), ""),
            error=f"{brief(source.code(node.exc.func))}(...)",
            code=brief(source.code(node.exc)),
            function=function_name(source, node),
        )


@operator(
    "missing-await",
    "missing-await",
    "high",
    "`{code}` is not awaited: <this gives|one gets> a coroutine, not its result.",
    "{kept}An `await` is missing before `{code}`, so the coroutine <never runs|is not run> here and its value is a coroutine object.",
    "An `await` is missing <before|in front of> `{code}`: <write|it has to be> `{old}`.",
    "`{target}` <becomes|is> a coroutine object, since `{code}` is called without `await`.",
    "{bare}Nothing happens here: `{code}` <creates|returns> a coroutine that no one awaits.",
    "{used}<Await|Put `await` before> `{code}`; a coroutine object is always true and has none of the <attributes|values> wanted.",
)
def missing_await(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Await):
        start = source.span(node).start
        gap = source.text[start + 5 : source.span(node.value).start]
        if gap.strip(" \t(") or not isinstance(node.value, ast.Call):
            continue
        if name_of(node.value.func) in _STARTED:
            continue
        facts: dict[str, str | None] = {"used": ""}
        match source.parents.get(node):
            case ast.Assign(targets=[target]):
                facts |= {"target": source.short(target), "kept": ""}
            case ast.Return():
                facts = {}
            case ast.Expr():
                facts = {"bare": ""}
        end = start + 5 + len(gap) - len(gap.lstrip(" \t"))
        yield site(Edit(start, end, ""), code=source.brief(node.value), old=source.short(node), **facts)


# What these give back runs by itself, awaited or not.
_STARTED = frozenset({"run_in_executor", "create_task", "ensure_future", "gather", "submit", "shield", "create_future"})


@operator(
    "drop-release",
    "resource-leak",
    "medium",
    "`{object}` is never <released|given back>: `{code}` is missing, so it stays open or locked.",
    "A leak: <nothing calls|there is no> `{code}` <after the work is done|at this point>.",
    "`{code}` has to run here; <otherwise|without it> `{object}` <stays open or locked|keeps what it holds>.",
    "Each call of `{function}` leaves `{object}` <open|behind>; <finish|end> with `{code}`.",
)
def drop_release(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Expr):
        if not releases(node) or (edit := source.without(node)) is None:
            continue
        around = ast.walk(source.function(node) or source.tree)
        if sum(isinstance(n, ast.Expr) and source.code(n) == source.code(node) for n in around) > 1:
            continue  # on another path it is done
        call = node.value
        owner: ast.expr | None = None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            # `os.close(fd)` gives back what it is given.
            owner = call.args[0] if call.args else call.func.value
        if owner is not None:
            yield site(edit, object=source.brief(owner), code=source.brief(node), function=function_name(source, node))


@operator(
    "leak-resource",
    "resource-leak",
    "medium",
    "`{name}` is never closed: <open it|use it> in a `with` block, so that it is closed even when an error <is raised|occurs>.",
    "The <file|resource> opened by `{value}` stays open; `with {value} as {name}:` closes it <in any case|for certain>.",
    "Nothing closes `{name}` if the lines below <fail|raise>, nor after them; <use|take> a `with` statement.",
    "A leak of file handles or locks: `{value}` has to be a context manager's, <closed|left> when the block ends.",
)
def leak_resource(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.With):
        match node.items:
            case [ast.withitem(context_expr=ast.Call() as value, optional_vars=ast.Name(id=name))]:
                pass
            case _:
                continue
        first, last = node.body[0].lineno, node.end_lineno or 0
        if last - first > 2 or node.lineno + 1 != first or not source.on_own_lines(node):
            continue
        opening = name_of(value.func) or ""
        if "open" not in opening.lower() and opening not in ("socket", "Popen", "connect", "urlopen", "ZipFile"):
            continue
        outer, inner = source.indentation(node.lineno), source.indentation(first)
        starts = [source.map.line_span(line)[0] for line in range(first, last + 1)]
        if not inner.startswith(outer) or not all(source.text.startswith(inner, at) for at in starts):
            continue
        header_end = source.map.line_span(node.lineno)[1]
        yield site(
            Edit(source.span(node).start, header_end, f"{name} = {source.code(value)}"),
            *(Edit(at + len(outer), at + len(inner), "") for at in starts),
            name=name,
            value=source.brief(value),
        )


# Calls and options that keep an attacker out -> what is written by those who do not know.
_SAFE_CALLS = {
    "safe_load": ("unsafe_load", "may construct any object from the input"),
    "literal_eval": ("eval", "runs whatever code the input holds"),
    "safe_dump": ("dump", "writes objects that only an unsafe loader can read"),
    "safe_join": ("join", "lets the path leave the folder"),
    "sha256": ("md5", "is broken as a hash"),
}
_SAFE_WRAPPERS = {
    "quote": "it can break out of the command or the address",
    "escape": "it can inject markup or a pattern",
    "quote_plus": "it can break out of the address",
    "secure_filename": "it can point into another folder",
    "quote_name": "it can break out of the statement",
}
_SAFE_OPTIONS = {
    "shell": ("False", "True", "hands the command to a shell"),
    "verify": ("True", "False", "accepts any certificate"),
    "check_hostname": ("True", "False", "accepts any host"),
    "autoescape": ("True", "False", "lets input inject markup"),
    "follow_symlinks": ("False", "True", "lets links lead elsewhere"),
    "allow_pickle": ("False", "True", "runs code from the file"),
    "weights_only": ("True", "False", "runs code from the file"),
    "httponly": ("True", "False", "shows the cookie to scripts"),
    "secure": ("True", "False", "sends the cookie unencrypted"),
}


@operator(
    "unsafe-call",
    "security",
    "high",
    "<Unsafe|A security hole>: `{new}` {effect}. <Use|Write> `{old}`.",
    "`{new}` {effect}, which <an attacker can use|is dangerous with input from outside>; `{old}` does not.",
    "With `{new}` this {effect}; <it has to be|the safe form is> `{old}`.",
    "`{new}` is a <risk|security risk>, since it {effect}; <it should|this must> be `{old}`.",
)
def unsafe_call(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        name = name_of(call.func)
        if name in _SAFE_CALLS and (isinstance(call.func, ast.Attribute) or name == "literal_eval"):
            function = source.span(call.func)
            new, effect = _SAFE_CALLS[name]
            start = function.start if new == "eval" else function.end - len(name)  # `eval` is of no module
            yield site(Edit(start, function.end, new), old=name, new=new, effect=effect)
        for keyword in call.keywords:
            safe, unsafe, effect = _SAFE_OPTIONS.get(keyword.arg or "", ("", "", ""))
            if safe and source.code(keyword.value) == safe:
                yield site(
                    source.edit(keyword.value, unsafe),
                    old=f"{keyword.arg}={safe}",
                    new=f"{keyword.arg}={unsafe}",
                    effect=effect,
                )


@operator(
    "drop-escaping",
    "security",
    "high",
    "`{value}` is used unescaped: {effect}. <Pass it through|Use> `{name}`.",
    "`{name}` is missing around `{value}`, so with hostile input {effect}.",
    "If `{value}` comes from outside, {effect}; <write|it has to be> `{old}`.",
    "<Injection|Unsafe>: without `{name}`, `{value}` goes in <raw|as it is> and {effect}.",
)
def drop_escaping(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        name = name_of(call.func)
        if name in _SAFE_WRAPPERS and len(call.args) == 1 and not isinstance(call.args[0], ast.Starred | ast.Constant):
            value = call.args[0]
            yield site(
                source.edit(call, source.operand(value)),
                value=source.brief(value),
                name=name,
                old=source.brief(call),
                effect=_SAFE_WRAPPERS[name],
            )


OPERATORS = (
    swallow_exception,
    broaden_exception,
    wrong_exception,
    narrow_exception,
    drop_raise,
    missing_await,
    drop_release,
    leak_resource,
    unsafe_call,
    drop_escaping,
)
