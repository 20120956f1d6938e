
/*
 * Copyright (C) govsvc authors
 *
 * Any bytes as a chain of segments, in pieces of any size: the verdict does
 * not depend on the pieces.  Segments are parted by a byte of 0x1e.
 */


#include "audit/gs_audit_verify.h"

#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_verify(gs_audit_verify_t *v, const uint8_t *data,
    size_t size, size_t step, int partial);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                    step;
    uint64_t                  bytes;
    static gs_audit_verify_t  whole, pieces;

    if (size == 0) {
        return 0;
    }

    step = 1 + data[0] % 64;

    fuzz_verify(&whole, data + 1, size - 1, size, data[0] & 0x80);
    fuzz_verify(&pieces, data + 1, size - 1, step, data[0] & 0x80);

    if (whole.fault.kind != pieces.fault.kind
        || whole.fault.line != pieces.fault.line
        || whole.fault.byte != pieces.fault.byte
        || whole.records != pieces.records
        || whole.next_seq != pieces.next_seq)
    {
        abort();
    }

    (void) gs_audit_verify_counted(data, size, "0000000000000000", &bytes);

    return 0;
}


static void
fuzz_verify(gs_audit_verify_t *v, const uint8_t *data, size_t size,
    size_t step, int partial)
{
    char            name[24];
    size_t          n, len;
    gs_rc_t         rc;
    const uint8_t  *end;

    name[0] = 'a';
    name[1] = '\0';

    gs_audit_verify_chain(v, "", partial);

    for ( ;; ) {
        end = (size == 0) ? NULL : memchr(data, 0x1e, size);
        len = (end == NULL) ? size : (size_t) (end - data);

        gs_audit_verify_segment(v, name);
        rc = GS_OK;

        while (len != 0 && rc == GS_OK) {
            n = (len < step) ? len : step;
            rc = gs_audit_verify_feed(v, data, n);
            data += n;
            size -= n;
            len -= n;
        }

        gs_audit_verify_end(v, end == NULL);

        if (end == NULL || v->fault.kind != GS_AUDIT_GOOD) {
            break;
        }

        size -= 1;
        data = end + 1;
        name[0] = (char) ((name[0] == 'z') ? 'a' : name[0] + 1);
    }
}
