
/*
 * Copyright (C) govsvc authors
 *
 * Named points at which a test stops a process for good: proof that shared
 * memory stays usable wherever a worker is killed.  They are nothing unless
 * a test is built with GS_FAULT.
 */


#ifndef _GS_FAULT_H_INCLUDED_
#define _GS_FAULT_H_INCLUDED_


#ifdef GS_FAULT

/* Provided by the test; may not return. */
void gs_fault(const char *point);

#else

#define gs_fault(point)

#endif


#endif /* _GS_FAULT_H_INCLUDED_ */
