// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle_globals.h"

#include <algorithm>
#include <iterator>

namespace hilum {
namespace {

struct Known {
  absl::string_view module;
  absl::string_view name;
  GlobalUse use;
};

// What torch.save writes beside classes, and what numpy's scalars and arrays
// in checkpoints need. Protocol 2 calls builtins by their old name.
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
    // An attribute of every module before torch 1.2.
    {"torch.nn.backends.thnn", "_get_thnn_function_backend", GlobalUse::kCall},
    {"torch", "Size", GlobalUse::kCall},
    {"torch", "device", GlobalUse::kCall},
    {"numpy", "dtype", GlobalUse::kCall},
    {"numpy.core.multiarray", "scalar", GlobalUse::kCall},
    {"numpy.core.multiarray", "_reconstruct", GlobalUse::kCall},
    {"numpy._core.multiarray", "scalar", GlobalUse::kCall},
    {"numpy._core.multiarray", "_reconstruct", GlobalUse::kCall},
    {"_codecs", "encode", GlobalUse::kCall},
    // Checkpoints keep their command line in it.
    {"argparse", "Namespace", GlobalUse::kRecord},
    // What a defaultdict makes.
    {"builtins", "int", GlobalUse::kRecord},
    {"builtins", "list", GlobalUse::kRecord},
    {"builtins", "dict", GlobalUse::kRecord},
    {"__builtin__", "int", GlobalUse::kRecord},
    {"__builtin__", "list", GlobalUse::kRecord},
    {"__builtin__", "dict", GlobalUse::kRecord},
};

// Sorted. Packages, most of them of Python's own library, that have no classes
// of networks in them and much that a pickle must not run.
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

}  // namespace

GlobalUse UseOfGlobal(absl::string_view module, absl::string_view name) {
  for (const Known& known : kKnown) {
    if (known.module == module && known.name == name) return known.use;
  }
  const absl::string_view package = module.substr(0, module.find('.'));
  return std::binary_search(std::begin(kPythonsOwn), std::end(kPythonsOwn),
                            package)
             ? GlobalUse::kRefused
             : GlobalUse::kRecord;
}

}  // namespace hilum
