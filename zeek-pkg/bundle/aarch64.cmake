# Builds the plugin for 64-bit ARM on another machine, with Debian's
# g++-aarch64-linux-gnu; bundle/make says when. Of Zeek only headers are needed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
