/*
 * The boot sector of a disk image or, by El Torito without emulation, of a CD's: the kernel's flat image
 * follows 512 bytes on. Makes a PVH start info with the BIOS's memory map, so that the kernel knows one way of
 * being entered.
 */
#ifndef SECTORS
#error "SECTORS is the size of the kernel's image in sectors of 512 bytes"
#endif
#define LOAD       0x10000  /* where the BIOS reads the image to, with this sector */
#define KERNEL     0x100000
#define START_INFO 0x6000
#define MEMMAP     0x6100   /* entries of 24 bytes */
#define CHUNK      0x8000   /* bytes a call */
#define CHUNKS     ((SECTORS + 1 + 63) / 64)
#define DRIVE      0x6000   /* the drive's parameters, of version 1.x */
#define DRIVE_SIZE 26

	.code16
	.globl _start
_start:
	jmp begin

	.org 8                  /* a CD's maker writes here ("boot information table") */
	.long 0
image:
	.long 0                 /* the image's first block; 0 on a disk */
	.org 64
begin:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp
	cld
	movb %dl, drive
	sti

	movl image, %eax
	movl %eax, packet + 8
	movw $DRIVE, %si
	movw $DRIVE_SIZE, (%si)
	movb $0x48, %ah
	int $0x13
	jc failed
	movw $CHUNK, %ax
	xorw %dx, %dx
	movw DRIVE + 24, %cx    /* bytes a block */
	testw %cx, %cx
	jz failed
	divw %cx
	movw %ax, packet + 2

	movw $CHUNKS, %bp
1:	movw $packet, %si
	movb drive, %dl
	movb $0x42, %ah
	int $0x13
	jc failed
	movzwl packet + 2, %eax
	addl %eax, packet + 8
	addw $(CHUNK / 16), packet + 6
	decw %bp
	jnz 1b

	movw $START_INFO, %di
	movw $0x300, %cx
	xorw %ax, %ax
	rep stosw
	movl $0x336ec578, START_INFO
	movl $1, START_INFO + 4
	movl $MEMMAP, START_INFO + 40
	movw $MEMMAP, %di
	xorl %ebx, %ebx
3:	movl $0xe820, %eax
	movl $20, %ecx
	movl $0x534d4150, %edx
	int $0x15
	jc 4f
	addw $24, %di
	incl START_INFO + 48
	testl %ebx, %ebx
	jz 4f
	cmpl $32, START_INFO + 48
	jb 3b

4:	cli
	lgdtl gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x08, $protected

failed:
	movw $0x0e21, %ax       /* ! */
	int $0x10
5:	hlt
	jmp 5b

	.code32
protected:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $(LOAD + 512), %esi
	movl $KERNEL, %edi
	movl $SECTORS * 128, %ecx
	rep movsl
	movl $START_INFO, %ebx
	movl $KERNEL, %eax
	jmp *%eax

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
packet:
	.byte 16, 0
	.word 0                 /* blocks */
	.word 0, LOAD / 16      /* offset, segment */
	.quad 0                 /* first block */
drive:
	.byte 0
	.org 510
	.word 0xaa55
	.section .note.GNU-stack, "", @progbits
