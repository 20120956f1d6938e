
/*
 * Copyright (C) govsvc authors
 *
 * Network addresses: text, sockaddr, prefixes, sets of prefixes.  An address
 * is always held in its normal form: an IPv4-mapped IPv6 address
 * (RFC 4291 section 2.5.5.2) is the IPv4 address, everywhere.
 */


#ifndef _GS_NET_H_INCLUDED_
#define _GS_NET_H_INCLUDED_


#include <sys/socket.h>

#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


/* The longest text, "ffff:...:255.255.255.255/128" and its NUL. */
#define GS_NET_TEXT         64

/* What one subscriber holds in IPv6 (RFC 6177): limits count it as one. */
#define GS_NET_CLIENT_IPV6  64


typedef enum {
    GS_NET_NONE = 0,                       /* no address at all */
    GS_NET_UNIX,
    GS_NET_IPV4,
    GS_NET_IPV6
} gs_net_family_e;


typedef struct {
    gs_net_family_e  family;
    unsigned         bits;                 /* 0-32, 0-128; 0 for UNIX */
    gs_uchar_t       addr[16];             /* the rest is zero */
} gs_net_t;


typedef struct gs_net_set_s  gs_net_set_t;


/*
 * An address, "unix" or "unix:...", or a prefix ("10.0.0.0/8").  Strict: no
 * octal, no short IPv4, no zone index.  GS_DONE as GS_OK, but address bits
 * behind the prefix were set and have been cleared.
 */
gs_rc_t gs_net_parse(gs_net_t *net, const gs_str_t *s);

/* The address of a socket; GS_ERROR (family GS_NET_NONE) on other kinds. */
gs_rc_t gs_net_sockaddr(gs_net_t *net, const struct sockaddr *sa, size_t len);

/* Shortens the prefix to bits and clears what lies behind; never longer. */
void gs_net_mask(gs_net_t *net, unsigned bits);

/* The network that limits count as one client: IPv4 as is, IPv6 its /64. */
void gs_net_client(gs_net_t *net);

/*
 * Text of the net in the form of RFC 5952, with "/bits" unless it is a whole
 * address; "unix"; "" for GS_NET_NONE.  dst holds GS_NET_TEXT bytes; returns
 * the length, no NUL is written.
 */
size_t gs_net_print(gs_uchar_t *dst, const gs_net_t *net);

/* 1 if all of it is this machine: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291). */
int gs_net_loopback(const gs_net_t *net);

/* 1 if net contains other. */
int gs_net_contains(const gs_net_t *net, const gs_net_t *other);

/*
 * A set of nets for fast look-up, in mem; the array is not kept.  NULL if
 * memory is out.
 */
gs_net_set_t *gs_net_set_create(gs_mem_t *mem, const gs_net_t *nets, size_t n);

/* 1 if an element of the set contains net.  No allocation. */
int gs_net_set_has(const gs_net_set_t *set, const gs_net_t *net);


#endif /* _GS_NET_H_INCLUDED_ */
