# How the Go programs of the package are built, or where they come from.
#
#   IFOREST_PREBUILT   a folder with libiforest.so and zeek-iforest, built
#                      elsewhere for this architecture: for machines without
#                      Go or without a network. From the environment, and not
#                      remembered: the next version needs its own.
#   IFOREST_GO         the go program, where it is not found. The same.
set(IFOREST_PREBUILT "$ENV{IFOREST_PREBUILT}")
set(IFOREST_GO "$ENV{IFOREST_GO}")

if (NOT IFOREST_PREBUILT AND NOT IFOREST_GO)
    # sudo, cron and service accounts have a short PATH.
    file(GLOB go_of_distribution /usr/lib/go-*/bin /usr/lib/golang/bin)
    list(SORT go_of_distribution COMPARE NATURAL ORDER DESCENDING)
    unset(go_found CACHE)
    find_program(go_found go HINTS /usr/local/go/bin /usr/lib/go/bin ${go_of_distribution} /snap/bin
                                     /opt/homebrew/bin $ENV{HOME}/go/bin $ENV{HOME}/.local/go/bin)
    if (NOT go_found)
        message(FATAL_ERROR "zeek-iforest: no Go found in PATH nor in the usual places. Install Go, or set in the "
                            "environment IFOREST_GO=/path/to/go, or IFOREST_PREBUILT=/folder with libiforest.so "
                            "and zeek-iforest built elsewhere")
    endif ()
    set(IFOREST_GO ${go_found})
endif ()
if (IFOREST_PREBUILT)
    message(STATUS "zeek-iforest: Go programs from ${IFOREST_PREBUILT}")
else ()
    message(STATUS "zeek-iforest: Go programs built by ${IFOREST_GO}")
endif ()

# Nothing of the caller's environment changes what is built: no downloaded
# toolchain, no flags of the user's, no version control stamps (git refuses to
# answer root about a user's tree). The build folder holds Go's caches where
# there is no home, writable, so that zkg can remove them.
set(go_environment GOTOOLCHAIN=local GOWORK=off "GOFLAGS=-buildvcs=false -modcacherw")
if (NOT DEFINED ENV{HOME})
    foreach (folder GOCACHE GOPATH)
        if (NOT DEFINED ENV{${folder}})
            list(APPEND go_environment ${folder}=${CMAKE_BINARY_DIR}/${folder})
        endif ()
    endforeach ()
endif ()

file(GLOB_RECURSE go_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/*.go ${CMAKE_SOURCE_DIR}/gobridge/*.h)
list(FILTER go_sources EXCLUDE REGEX "^${CMAKE_BINARY_DIR}/|_test\\.go$")
list(APPEND go_sources ${CMAKE_SOURCE_DIR}/go.mod ${CMAKE_SOURCE_DIR}/internal/version/VERSION)

# iforest_go_build(NAME OUTPUT PACKAGE ENVIRONMENT [FLAGS...]) makes OUTPUT from
# the Go package, or copies NAME from IFOREST_PREBUILT.
function (iforest_go_build name output package environment)
    if (IFOREST_PREBUILT)
        if (NOT EXISTS ${IFOREST_PREBUILT}/${name})
            message(FATAL_ERROR "zeek-iforest: IFOREST_PREBUILT is ${IFOREST_PREBUILT}, but there is no ${name} in it")
        endif ()
        add_custom_command(
            OUTPUT ${output}
            DEPENDS ${IFOREST_PREBUILT}/${name}
            COMMAND ${CMAKE_COMMAND} -E copy ${IFOREST_PREBUILT}/${name} ${output})
        return()
    endif ()
    add_custom_command(
        OUTPUT ${output}
        DEPENDS ${go_sources}
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
        COMMENT "Building ${name} with Go"
        COMMAND ${CMAKE_COMMAND} -E env ${environment} ${go_environment} ${IFOREST_GO} build -trimpath
                "-ldflags=-s -w" ${ARGN} -o ${output} ${package}
        VERBATIM)
endfunction ()
