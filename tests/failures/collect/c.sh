# gcc, g++, make, ld, cmake, ninja, ctest, clang-tidy, clang-format, cppcheck.
gcc="--tool=gcc --version"
project
printf '#include <stdio.h>\nint main(void) {\n  int n = missing(3)\n  printf("%%d\\n", n);\n}\n' >main.c
failure gcc-syntax build "gcc -Wall -o app main.c" "$gcc"
printf 'all: app\napp: main.o\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -c -o $@ $<\ntest: app\n\t./app\n' >Makefile
failure make-compile build "make" "--tool=make --version"
failure make-test-compile build "make test" "--tool=make --version" --decoy "the target is test"
printf '#include "no/such.h"\nint main(void) { return 0; }\n' >main.c
failure gcc-no-header build "make -j2" "--tool=make --version" --decoy "No such file or directory"
printf 'int helper(int);\nint main(void) { return helper(1); }\n' >main.c
failure ld-undefined build "make all" "--tool=make --version"
printf 'int main(void) { return 0; }\n' >main.c
failure ld-no-library build "gcc main.c -o app -lnosuchthing" "$gcc"
failure make-no-rule build "make app.tar" "--tool=make --version"
project
mkdir net
printf '#include <string>\nint timeout(std::string s) { return s; }\n' >net/connection_timed_out.cpp
failure gpp-timeout-file build "g++ -std=c++17 -c net/connection_timed_out.cpp" "--tool=g++ --version" --decoy "a file named connection_timed_out.cpp"
printf '#include <vector>\n#include <cstdio>\nint main() {\n  std::vector<char*> all;\n  for (;;) { all.push_back(new char[64 << 20]()); }\n}\n' >eat.cpp
g++ -O0 -o eat eat.cpp
failure cpp-bad-alloc out_of_memory "./eat" "--tool=g++ --version" --memory 400
printf 'int main() { volatile int *p = 0; return *p; }\n' >crash.c && gcc -O0 -o crash crash.c
failure c-segfault unknown "./crash" "$gcc"
failure c-segfault-in-script unknown "bash -c './crash; exit \$?'" "$gcc"
printf '#include <assert.h>\nint main(void) { int out_of_memory = 0; assert(out_of_memory == 1); }\n' >check.c && gcc -O0 -o check check.c
printf 'test: check\n\t@echo "running 1 check"\n\t./check\n' >Makefile
failure make-test-assert test "make test" "--tool=make --version" --decoy "the assertion is about out_of_memory"
printf 'test:\n\ttimeout 1 sleep 30\n' >Makefile
failure make-timeout timeout "make test" "--tool=make --version" --decoy "make test"
printf 'deploy:\n\t@./deploy.sh\n' >Makefile; printf '#!/bin/sh\necho deploying\n' >deploy.sh
failure make-not-executable permission "make deploy" "--tool=make --version"
printf '.PHONY: check\ncheck:\n\tbuf lint\n' >Makefile
failure make-no-program missing_tool "make check" "--tool=make --version" --decoy "make check is for tests"
printf 'lint:\n\tshellcheck build.sh\n' >Makefile; printf '#!/bin/sh\nfor f in $(ls *.c); do rm $f; done\n' >build.sh
failure make-lint lint "make lint" "--tool=make --version"
project
printf 'cmake_minimum_required(VERSION 3.10)\nproject(demo C)\nenable_testing()\nfind_package(NoSuchPackage REQUIRED)\n' >CMakeLists.txt
failure cmake-package build "cmake -S . -B build" "--tool=cmake --version"
printf 'cmake_minimum_required(VERSION 3.10)\nproject(demo C)\nenable_testing()\nadd_executable(t t.c)\nadd_test(NAME connection_refused COMMAND t)\nadd_test(NAME disk_full COMMAND true)\n' >CMakeLists.txt
printf 'int main(void) { return 1; }\n' >t.c
rm -rf build; cmake -S . -B build -G Ninja >/dev/null && cmake --build build >/dev/null
failure ctest-fails test "ctest --test-dir build" "--tool=ctest --version" --decoy "tests named connection_refused and disk_full"
printf 'int main(void) { return one }\n' >t.c
failure ninja-compile build "cmake --build build" "--tool=ninja --version"
printf 'int   main( void ){return 0;}\n' >t.c
failure clang-format lint "clang-format --dry-run --Werror t.c" "--tool=clang-format --version"
printf '#include <string.h>\n#include <stdlib.h>\nint main(void) { char *p = malloc(4); free(p); p[0] = 1; char b[2]; return b[3]; }\n' >t.c
failure cppcheck lint "cppcheck --error-exitcode=1 --enable=warning t.c" "--tool=cppcheck --version"
failure clang-tidy lint "clang-tidy --warnings-as-errors='*' t.c --" "--tool=clang-tidy --version"
