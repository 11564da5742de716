"""The source of arcferry as a tree: who defines, calls and assigns what. For scripts that read it."""

import ast
from collections import defaultdict, deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1] / "src/arcferry"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(node: ast.AST) -> str:
    """The name of a variable, or of an attribute without what it is of."""
    return getattr(node, "id", "") or getattr(node, "attr", "")


def called(call: ast.Call) -> str:
    """The name of what is called, without what it is of."""
    return name_of(call.func)


def parameters(function: Function) -> list[str]:
    """The names of all that can be given to a function."""
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def own(function: Function, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of these kinds in a function, and not in those within it."""
    return (node for node in _own(function) if isinstance(node, kinds))


@cache
def _own(function: Function) -> tuple[ast.AST, ...]:
    found: list[ast.AST] = []
    todo: deque[ast.AST] = deque(function.body)
    while todo:
        node = todo.popleft()
        found.append(node)
        if not isinstance(node, Function):
            todo += ast.iter_child_nodes(node)
    return tuple(found)


class Source:
    """All modules below a folder."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._modules = {
            path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.py"))
        }
        self._parents: dict[ast.AST, ast.AST] = {}
        self._path: dict[ast.AST, Path] = {}
        self._functions: dict[str, list[Function]] = defaultdict(list)
        self._imported: dict[Path, set[str]] = defaultdict(set)
        self._classes: dict[str, ast.ClassDef] = {}
        self._calls: dict[str, list[ast.Call]] = defaultdict(list)
        self._constants: dict[str, list[ast.expr]] = defaultdict(list)
        for path, module in self._modules.items():
            self._take(path, module)

    def _take(self, path: Path, module: ast.Module) -> None:
        todo: list[ast.AST] = [module]
        while todo:
            node = todo.pop()
            self._path[node] = path
            for inner in ast.iter_child_nodes(node):
                self._parents[inner] = node
                todo.append(inner)
            if isinstance(node, Function):
                self._functions[node.name].append(node)
            elif isinstance(node, ast.ClassDef):
                self._classes[node.name] = node
            elif isinstance(node, ast.ImportFrom):
                self._imported[path] |= {one.asname or one.name for one in node.names}
            elif isinstance(node, ast.Call):
                self._calls[called(node)].append(node)
        for name, value in (pair for node in module.body for pair in _given(node)):
            self._constants[name].append(value)

    def place(self, node: ast.AST) -> str:
        """The file and the line of a node."""
        return f"{self._path[node].relative_to(self._root)}:{getattr(node, 'lineno', 0)}"

    def calls(self, name: str) -> list[ast.Call]:
        """Every call of something that has this name."""
        return self._calls.get(name, [])

    def kinds_of(self, *names: str) -> set[str]:
        """These classes, without the last, and those of the source that are made from them."""
        found = set(names)
        while (
            more := {
                name for name, one in self._classes.items() if found & {name_of(base) for base in one.bases}
            }
            - found
        ):
            found |= more
        return found - {names[-1]}

    def first_calls_of(self, name: str) -> list[ast.Call]:
        """What a class gives to the `__init__` of the one that it is made from."""
        body = self._classes[name].body if name in self._classes else []
        made = [one for one in body if isinstance(one, Function) and one.name == "__init__"]
        calls = [call for one in made for call in own(one, ast.Call)]
        return [call for call in calls if isinstance(call, ast.Call) and called(call) == "__init__"]

    def classes_with(self, fields: set[str]) -> Iterator[tuple[str, list[str]]]:
        """Each class with one of these fields, and all its fields in their order."""
        for name, one in self._classes.items():
            names = [name_of(line.target) for line in one.body if isinstance(line, ast.AnnAssign)]
            if fields & set(names):
                yield name, names

    def methods(self, names: set[str]) -> Iterator[Function]:
        """Each method or property of one of these names, or of `Class.name`."""
        kinds = [one for one in self._path if isinstance(one, ast.ClassDef)]  # several may have one name
        for one in kinds:
            for line in one.body:
                if isinstance(line, Function) and {line.name, f"{one.name}.{line.name}"} & names:
                    yield line

    def put_into(self, fields: set[str]) -> Iterator[ast.AST]:
        """What is put into a field of this name, or added to it, after its object was made."""
        for node in self._path:
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(one, ast.Attribute) and one.attr in fields for one in targets):
                    yield node.value

    def functions_around(self, node: ast.AST) -> Iterator[Function]:
        """The functions that a node is in, from within."""
        while node in self._parents:
            node = self._parents[node]
            if isinstance(node, Function):
                yield node

    def assigned(self, function: Function, name: str) -> Iterator[tuple[ast.AST, int | None]]:
        """What a variable is given in a function: values, or which item of one that is taken apart."""
        for node in own(function, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr):
            for target in getattr(node, "targets", None) or [node.target]:
                if isinstance(target, ast.Tuple):
                    names = [name_of(one) for one in target.elts]
                    if name in names:
                        yield node.value, names.index(name)
                elif isinstance(target, ast.Name) and target.id == name and node.value:
                    yield node.value, None

    def arguments(self, function: Function, name: str) -> Iterator[ast.expr]:
        """What is given as this parameter wherever the function is called, and its default."""
        parent = self._parents[function]
        is_made = isinstance(parent, ast.ClassDef) and function.name == "__init__"
        takes_self = isinstance(parent, ast.ClassDef) and "staticmethod" not in map(
            name_of, function.decorator_list
        )
        known = parent.name if is_made else function.name
        places = [one.arg for one in (*function.args.posonlyargs, *function.args.args)][takes_self:]
        for call in self.calls(known):
            if len(self._functions[known]) > 1 and self._path[call] != self._path[function]:
                continue
            if not is_made and takes_self != isinstance(call.func, ast.Attribute):
                continue
            if name in places[: len(call.args)]:
                yield call.args[places.index(name)]
            else:
                yield from (one.value for one in call.keywords if one.arg == name)
        yield from _default(function, name)

    def constants(self, node: ast.Name) -> list[ast.expr]:
        """The values of a module's constant: of its own, or of that which it imports."""
        if not node.id.lstrip("_").isupper():
            return []
        found = self._constants.get(node.id, [])
        here = [value for value in found if self._path[value] == self._path[node]]
        return here or (found if self._imports(self._path[node], node.id) else [])

    def constants_anywhere(self, name: str) -> list[ast.expr]:
        """The values of constants of this name in all modules."""
        return self._constants.get(name, []) if name.isupper() else []

    def is_table(self, node: ast.AST) -> bool:
        """Whether this is a mapping, or a constant that is one."""
        values = self._constants.get(name_of(node), []) if isinstance(node, ast.Name) else [node]
        return any(isinstance(value, ast.Dict) for value in values)

    def defined(self, call: ast.Call) -> list[Function]:
        """The functions that a call may mean: those of its module, else one or two of that name anywhere."""
        found = self._functions.get(called(call), [])
        here = [one for one in found if self._path[one] == self._path[call]]
        return here or (found if len(found) <= 2 else [])  # noqa: PLR2004  # more is a guess

    def _imports(self, path: Path, name: str) -> bool:
        return name in self._imported[path]


def _given(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name):
            yield target.id, node.value


def _default(function: Function, name: str) -> Iterator[ast.expr]:
    given = function.args
    places = given.args[len(given.args) - len(given.defaults) :]
    pairs = (
        *zip(places, given.defaults, strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    )
    yield from (value for one, value in pairs if one.arg == name and value is not None)
