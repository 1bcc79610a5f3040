// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle_globals.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace hilum {
namespace {

struct Known {
  absl::string_view module;
  absl::string_view name;
  GlobalUse use;
};

// Globals that torch.save writes beside classes, and those of numpy's scalars
// and arrays in checkpoints. Protocol 2 uses the builtins' old module name.
constexpr Known kKnown[] = {
    {"collections", "OrderedDict", GlobalUse::kDict},
    {"collections", "defaultdict", GlobalUse::kDict},
    {"collections", "Counter", GlobalUse::kDict},
    {"builtins", "set", GlobalUse::kSet},
    {"builtins", "frozenset", GlobalUse::kSet},
    {"__builtin__", "set", GlobalUse::kSet},
    {"__builtin__", "frozenset", GlobalUse::kSet},
    {"torch._utils", "_rebuild_tensor", GlobalUse::kCall},
    {"torch._utils", "_rebuild_tensor_v2", GlobalUse::kCall},
    {"torch._utils", "_rebuild_parameter", GlobalUse::kCall},
    {"torch._utils", "_rebuild_parameter_with_state", GlobalUse::kCall},
    {"torch._tensor", "_rebuild_from_type_v2", GlobalUse::kCall},
    // Every module had this attribute before torch 1.2.
    {"torch.nn.backends.thnn", "_get_thnn_function_backend", GlobalUse::kCall},
    {"torch", "Size", GlobalUse::kCall},
    {"torch", "device", GlobalUse::kCall},
    {"numpy", "dtype", GlobalUse::kCall},
    {"numpy.core.multiarray", "scalar", GlobalUse::kCall},
    {"numpy.core.multiarray", "_reconstruct", GlobalUse::kCall},
    {"numpy._core.multiarray", "scalar", GlobalUse::kCall},
    {"numpy._core.multiarray", "_reconstruct", GlobalUse::kCall},
    {"_codecs", "encode", GlobalUse::kCall},
    // Checkpoints store their command line in it.
    {"argparse", "Namespace", GlobalUse::kRecord},
    // Trainers store these beside weights: paths, times, settings.
    {"collections", "deque", GlobalUse::kInert},
    {"functools", "partial", GlobalUse::kInert},
    // Only for members of enumerations (PickleMachine::IsMember).
    {"builtins", "getattr", GlobalUse::kRecord},
    {"__builtin__", "getattr", GlobalUse::kRecord},
    {"ipaddress", "IPv4Address", GlobalUse::kInert},
    {"logging", "Logger", GlobalUse::kInert},
    {"logging", "getLogger", GlobalUse::kInert},
    {"pathlib", "Path", GlobalUse::kInert},
    {"pathlib", "PosixPath", GlobalUse::kInert},
    {"pathlib", "PurePath", GlobalUse::kInert},
    {"pathlib", "PurePosixPath", GlobalUse::kInert},
    {"pathlib", "PureWindowsPath", GlobalUse::kInert},
    {"pathlib", "WindowsPath", GlobalUse::kInert},
    {"pathlib._local", "Path", GlobalUse::kInert},
    {"pathlib._local", "PosixPath", GlobalUse::kInert},
    {"pathlib._local", "WindowsPath", GlobalUse::kInert},
    {"re", "_compile", GlobalUse::kInert},
    {"types", "SimpleNamespace", GlobalUse::kInert},
    {"uuid", "SafeUUID", GlobalUse::kInert},
    {"uuid", "UUID", GlobalUse::kInert},
    // States of random generators, from which training continues.
    {"numpy.random", "__randomstate_ctor", GlobalUse::kInert},
    {"numpy.random", "__generator_ctor", GlobalUse::kInert},
    {"numpy.random", "__bit_generator_ctor", GlobalUse::kInert},
    {"numpy.random._pickle", "__randomstate_ctor", GlobalUse::kInert},
    {"numpy.random._pickle", "__generator_ctor", GlobalUse::kInert},
    {"numpy.random._pickle", "__bit_generator_ctor", GlobalUse::kInert},
};

// Python's own types, and functions that only read: the factory of a
// defaultdict, the function of a partial or a schedule. `builtins` or
// `__builtin__`.
constexpr absl::string_view kBuiltins[] = {
    "abs",    "bool",  "bytearray", "bytes",  "complex", "dict",
    "float",  "int",   "len",       "list",   "max",     "min",
    "object", "print", "range",     "round",  "slice",   "str",
    "sum",    "tuple", "type",      "xrange", "zip"};

// Sorted. Packages, most of them Python's own, that have no network classes but
// much that a pickle must not run.
constexpr absl::string_view kPythonsOwn[] = {
    "__builtin__",  "_codecs",     "_io",      "_pickle",     "_thread",
    "argparse",     "ast",         "asyncio",  "atexit",      "base64",
    "bdb",          "builtins",    "bz2",      "code",        "codecs",
    "codeop",       "collections", "commands", "concurrent",  "copyreg",
    "ctypes",       "dill",        "dis",      "doctest",     "email",
    "fcntl",        "fileinput",   "ftplib",   "functools",   "gc",
    "getpass",      "glob",        "http",     "imaplib",     "imp",
    "importlib",    "inspect",     "io",       "ipaddress",   "itertools",
    "linecache",    "logging",     "marshal",  "mmap",        "multiprocessing",
    "nntplib",      "nt",          "ntpath",   "operator",    "os",
    "pathlib",      "pdb",         "pickle",   "pickletools", "pip",
    "pkgutil",      "platform",    "poplib",   "posix",       "posixpath",
    "profile",      "pty",         "pydoc",    "random",      "re",
    "requests",     "runpy",       "select",   "setuptools",  "shelve",
    "shutil",       "signal",      "site",     "smtplib",     "socket",
    "socketserver", "sqlite3",     "ssl",      "subprocess",  "sys",
    "tarfile",      "telnetlib",   "tempfile", "threading",   "timeit",
    "tkinter",      "trace",       "types",    "unittest",    "urllib",
    "uuid",         "venv",        "warnings", "weakref",     "webbrowser",
    "xml",          "xmlrpc",      "zipfile",  "zipimport"};

static_assert(std::is_sorted(std::begin(kPythonsOwn), std::end(kPythonsOwn)));

// Returns whether a name looks like a class (by Python's naming custom) from a
// package without tensors: an enumeration, a setting, a time. Calls of torch
// and numpy stand for tensors, of which none may be lost.
bool IsClassOfOthers(absl::string_view package, absl::string_view name) {
  if (package == "datetime" || package == "decimal" || package == "fractions" ||
      package == "zoneinfo" || package == "enum") {
    return true;
  }
  if (package == "torch" || package == "numpy" ||
      std::binary_search(std::begin(kPythonsOwn), std::end(kPythonsOwn),
                         package)) {
    return false;
  }
  const size_t dot = name.rfind('.');
  absl::string_view last =
      dot == absl::string_view::npos ? name : name.substr(dot + 1);
  while (absl::ConsumePrefix(&last, "_")) {
  }
  return !last.empty() && absl::ascii_isupper(last[0]);
}

}  // namespace

GlobalUse UseOfGlobal(absl::string_view module, absl::string_view name) {
  for (const Known& known : kKnown) {
    if (known.module == module && known.name == name) return known.use;
  }
  const absl::string_view package = module.substr(0, module.find('.'));
  if (module == "builtins" || module == "__builtin__") {
    const bool plain = std::find(std::begin(kBuiltins), std::end(kBuiltins),
                                 name) != std::end(kBuiltins);
    return plain ? GlobalUse::kInert : GlobalUse::kRefused;
  }
  if (IsClassOfOthers(package, name)) return GlobalUse::kInert;
  return std::binary_search(std::begin(kPythonsOwn), std::end(kPythonsOwn),
                            package)
             ? GlobalUse::kRefused
             : GlobalUse::kRecord;
}

}  // namespace hilum
