#!/bin/bash -eu
# Builds the reference kernels and a fuzz target for each into $OUT, by ClusterFuzzLite's protocol: $SRC, $WORK, $OUT,
# $CC, $CXX, $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE say from what, where and how.
#
# A target is a file in $OUT; beside it lie its kernel, its options, its seed corpus, the dictionary, and in lib/ every
# shared library but the C library's own, found there by $ORIGIN. Where VMCHECK_FUZZ_KERNELS names some of the kernels,
# the others are left out.
build=$WORK/vmcheck
kernels=(${VMCHECK_FUZZ_KERNELS:-cow-lazy cow-eager eager-lazy eager-eager})
# How it is optimised is what $CXXFLAGS say. Debian's and Ubuntu's C++ libraries are libstdc++'s.
CXXFLAGS=${CXXFLAGS//-stdlib=libc++/} cmake -S "$SRC/vmcheck" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 \
    -DVMCHECK_FUZZING_ENGINE="$LIB_FUZZING_ENGINE" \
    -DVMCHECK_WARNINGS_ARE_ERRORS=OFF -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH='$ORIGIN/lib' \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--as-needed,--disable-new-dtags
outputs=("${kernels[@]/#/kernel/}")
cmake --build "$build" --target vmcheck_fuzz_kernel_program "${outputs[@]/%//kernel}"
program=$build/checker/fuzz/vmcheck-fuzz-kernel

mkdir -p "$OUT/lib"
unicorn=$(dirname "$SRC"/vmcheck/build/deps/unicorn/usr/lib*/{,*/}libunicorn.so.2 2>/dev/null | paste -s -d :)
LD_LIBRARY_PATH=$unicorn ldd "$program" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' |
    grep -vE '/(libc|libm|libdl|librt|libpthread)\.so' | xargs cp -L -t "$OUT/lib"
for kernel in "${kernels[@]}"; do
    target=$OUT/vmcheck-fuzz-$kernel
    cp "$program" "$target"
    install -m 644 "$build/kernel/$kernel/kernel" "$target.kernel"
    install -m 644 "$build/kernel/$kernel/kernel.map" "$target.kernel.map"
    printf '[libfuzzer]\nmax_len = 4096\ndict = vmcheck.dict\n' >"$target.options"
    rm -f "${target}_seed_corpus.zip"
    zip -q -j "${target}_seed_corpus.zip" "$SRC"/vmcheck/corpus/{seeds,regression}/*.vmc
done
"$target" --dict >"$OUT/vmcheck.dict"
