/* One entry for each vector; interrupts_dispatch gets a struct interrupt_frame. */
	.section .text
	.code64
	.macro entry vector
	.balign 16
	.if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21)
	.else
	pushq $0
	.endif
	pushq $\vector
	jmp common
	.endm

	.balign 16
	.globl interrupt_entries
interrupt_entries:
	.set i, 0
	.rept 256
	entry i
	.set i, i + 1
	.endr

common:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	movq %rsp, %rbp
	andq $-16, %rsp
	call interrupts_dispatch
	movq %rbp, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	/* An interrupt between the two must not be: interrupts_dispatch looks for it. */
	.globl cpu_wait
	.globl cpu_wait_sleep
cpu_wait:
	sti
cpu_wait_sleep:
	hlt
	cli
	ret

	.section .note.GNU-stack, "", @progbits
